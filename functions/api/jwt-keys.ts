import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';

/** A token's signature could not be checked, for no fault of its sender: the issuer's keys could not be had. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

/** Well within the ten seconds that the authorizer may take. */
const FETCH_TIMEOUT_MILLISECONDS = 4000;
/** Large providers publish a dozen keys, about 2 KB each. */
const LARGEST_BYTES = 256 * 1024;

/**
 * An issuer's public keys, fetched when they are first needed and kept for ten minutes; a token that names another key has them
 * fetched again, at most every 30 s, so that a key's replacement is known soon and made-up ones cost nothing.
 * @param url where the keys are: https, or an origin that is trusted although it is neither
 * @returns the key for a token. It rejects with `KeysUnavailable` when the keys can't be had, and with an error of jose's when
 * none of them is the token's
 * @throws Error for an address that is not to be fetched
 */
export function remoteKeys(
  url: string,
  { trustedOrigins, fetch }: { trustedOrigins: readonly string[]; fetch: typeof globalThis.fetch },
): JWTVerifyGetKey {
  const { protocol, origin } = new URL(url);
  if (protocol !== 'https:' && !trustedOrigins.includes(origin)) {
    throw new Error(`The issuer's keys at ${origin} are not fetched: the address is neither https nor trusted.`);
  }
  const keys = createRemoteJWKSet(new URL(url), {
    timeoutDuration: FETCH_TIMEOUT_MILLISECONDS,
    [customFetch]: async (address, options) => bounded(await fetch(address, options)),
  });
  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new KeysUnavailable(`The issuer's keys could not be fetched from ${origin}: ${why}`, { cause: error });
    }
  };
}

/** The issuer's keys are there, and none of them, or not one alone, is the token's. */
const isAboutToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;

/** @throws Error for an answer that is larger than any list of keys */
async function bounded(response: Response): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > LARGEST_BYTES) throw new Error(`The list of keys is larger than ${LARGEST_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks), { status: response.status });
}
