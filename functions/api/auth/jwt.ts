import { createRemoteJWKSet, customFetch, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Caller } from '../../shared/caller.ts';
import { ownerName } from '../../shared/environment.ts';
import { sha256Hex } from '../../video/keys.ts';

/** Which tokens are accepted. */
export interface TokenRules {
  /** Exactly the tokens' `iss`. */
  issuer: string;
  /** Among the tokens' `aud`. */
  audience: string;
  /** The claim that names the owner. */
  owner_claim: string;
}

interface TokenServices {
  keys: JWTVerifyGetKey;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** Asymmetric algorithms only: `none` and secrets shared with the issuer are refused. */
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** How far the clocks of issuer and Lambda may differ. */
const CLOCK_TOLERANCE_SECONDS = 5;

/**
 * The caller of a JSON Web Token that is signed by one of the issuer's keys, meant for this audience, not expired, and valid already
 * (`nbf`).
 * @returns undefined for any other token
 * @throws KeysUnavailable when the issuer's keys cannot be fetched, so that the token cannot be judged
 */
export async function callerOfToken(
  { keys, now }: TokenServices,
  { issuer, audience, owner_claim }: TokenRules,
  token: string,
): Promise<Caller | undefined> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms,
      issuer,
      audience,
      requiredClaims: ['exp', owner_claim],
      currentDate: new Date(now()),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    return callerOfClaims(payload, owner_claim);
  } catch (error) {
    if (error instanceof KeysUnavailable) throw error;
    return undefined;
  }
}

function callerOfClaims(payload: JWTPayload, ownerClaim: string): Caller | undefined {
  const name = payload[ownerClaim];
  if (typeof name !== 'string' || name === '') return undefined;
  const keyId = [payload.jti, payload.sub, name].find((claim) => typeof claim === 'string' && claim !== '');
  return { owner: ownerOf(name), key_id: sha256Hex(String(keyId)).slice(0, 12) };
}

/** A valid owner name is kept; any other is replaced by its hash. So is a name that resembles such a hash, to prevent impersonation. */
const ownerOf = (name: string): string =>
  ownerName.safeParse(name).success && !/^sub-[0-9a-f]{40}$/.test(name) ? name : `sub-${sha256Hex(name).slice(0, 40)}`;

/** A token's signature could not be checked because the issuer's keys could not be fetched. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

/** Well within the ten seconds that the authorizer may take. */
const FETCH_TIMEOUT_MILLISECONDS = 4000;
/** Large providers publish a dozen keys, about 2 KB each. */
const LARGEST_BYTES = 256 * 1024;

/**
 * An issuer's public keys, fetched on first use and cached for ten minutes. A token that names an unknown key causes another fetch, at
 * most every 30 s: a rotated key is known soon, and made-up keys cost nothing.
 * @param url of the keys: https, or a trusted origin
 * @returns a function that finds the key of a token. It rejects with `KeysUnavailable` when the keys cannot be fetched, and with an error
 * of jose when no key is the token's
 * @throws Error for a URL that is neither https nor trusted
 */
export function remoteKeys(
  url: string,
  { trustedOrigins, fetch }: { trustedOrigins: readonly string[]; fetch: typeof globalThis.fetch },
): JWTVerifyGetKey {
  const { protocol, origin } = new URL(url);
  if (protocol !== 'https:' && !trustedOrigins.includes(origin)) {
    throw new Error(`The issuer's keys at ${origin} are not fetched: the URL is neither https nor trusted.`);
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

/** Whether the issuer's keys were fetched, but not exactly one of them fits the token. */
const isAboutToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;

/** Reads a response. @throws Error when it is larger than any list of keys */
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
