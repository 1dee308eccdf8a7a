import { type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { ownerName } from '../shared/environment.ts';
import { sha256Hex } from '../video/keys.ts';
import type { Caller } from './http.ts';
import { KeysUnavailable } from './jwt-keys.ts';

/** Whose tokens are taken. */
export interface TokenRules {
  /** Exactly the tokens' `iss`. */
  issuer: string;
  /** Among the tokens' `aud`. */
  audience: string;
  /** The claim that names the owner. */
  owner_claim: string;
}

export interface TokenServices {
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
