export interface IdempotencyKeys {
  /** Returns the key to send a body with. */
  keyFor(body: object): string;
  /** The last body became a video: sending it again means another one. */
  settled(): void;
}

/**
 * The Idempotency-Key of each request: the same body keeps its key until it became a video, so that a retry after a lost response
 * finds the video instead of paying for a second one.
 */
export function createIdempotencyKeys(newKey: () => string = () => crypto.randomUUID()): IdempotencyKeys {
  let pending: { text: string; key: string } | undefined;
  return {
    keyFor(body) {
      const text = JSON.stringify(body);
      if (pending?.text !== text) pending = { text, key: newKey() };
      return pending.key;
    },
    settled() {
      pending = undefined;
    },
  };
}
