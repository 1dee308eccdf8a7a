export interface IdempotencyKeys {
  /** The key to send a body with. */
  next(body: object): string;
  /** The body has got its video: to send it again means another one. */
  settled(): void;
}

/**
 * The Idempotency-Key of each request: the same one while the same body has not got its video, so that a try after a lost answer
 * finds the video and pays for no second one.
 */
export function createIdempotencyKeys(newKey: () => string = () => crypto.randomUUID()): IdempotencyKeys {
  let pending: { body: string; key: string } | undefined;
  return {
    next(given) {
      const body = JSON.stringify(given);
      if (pending?.body !== body) pending = { body, key: newKey() };
      return pending.key;
    },
    settled() {
      pending = undefined;
    },
  };
}
