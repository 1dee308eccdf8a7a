import { createRemoteJWKSet, customFetch, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Caller } from '../../shared/caller.ts';
import { ownerName } from '../../shared/environment.ts';
import { sha256Hex } from '../../video/keys.ts';

/** Whose tokens are taken. */
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

/** Asymmetric all of them: a public key can check a signature, never make one. `none` and secrets shared with the issuer are out. */
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** Clocks of issuer and Lambda may differ by so much. */
const CLOCK_TOLERANCE_SECONDS = 5;

/**
 * Who calls, by a JSON Web Token: signed by a key of the issuer's, for this audience, with a beginning (if it names one) before now
 * and an end after it.
 * @returns undefined for a token that is anything else
 * @throws KeysUnavailable when the issuer's keys can't be had, which says nothing about the token
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

/** A name that an owner may have, as it is; any other by its hash, and so is a name that only looks like such a hash: nobody can pose. */
const ownerOf = (name: string): string =>
  ownerName.safeParse(name).success && !/^sub-[0-9a-f]{40}$/.test(name) ? name : `sub-${sha256Hex(name).slice(0, 40)}`;

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
