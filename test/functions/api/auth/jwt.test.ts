import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  base64url,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { callerOfToken, KeysUnavailable, remoteKeys, type TokenRules } from '../../../../functions/api/auth/jwt.ts';

const rules: TokenRules = { issuer: 'https://id.example/', audience: 'firstframe', owner_claim: 'sub' };
const start = Date.parse('2026-11-05T10:00:00Z');
let now = start;
afterEach(() => {
  now = start;
});

let privateKey: CryptoKey;
let publicKey: CryptoKey;
let jwk: JWK;
beforeAll(async () => {
  ({ privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true }));
  jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
});

/** Serves keys like an issuer and counts the requests. */
async function issuer(
  keysResponse: () => { status?: number; body?: string; headers?: Record<string, string> } | undefined,
) {
  const served = { requests: 0 };
  const listener: RequestListener = (_, response) => {
    served.requests += 1;
    const keys = keysResponse();
    if (!keys) return;
    response.writeHead(keys.status ?? 200, keys.headers);
    response.end(keys.body ?? JSON.stringify({ keys: [jwk] }));
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const keys = remoteKeys(`${origin}/keys`, { trustedOrigins: [origin], fetch });
  return { served, keys, origin };
}

const seconds = () => Math.floor(now / 1000);
const claims = (overrides: Record<string, unknown> = {}) => ({
  iss: rules.issuer,
  aud: rules.audience,
  sub: 'alice',
  exp: seconds() + 600,
  ...overrides,
});
const sign = (
  payload: Record<string, unknown>,
  header: Partial<JWTHeaderParameters> = {},
  key: CryptoKey | Uint8Array = privateKey,
) => new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header }).sign(key);

const validIssuer = () => issuer(() => ({}));
const callerOf = async (token: string, overrides: Partial<TokenRules> = {}) =>
  callerOfToken({ keys: (await validIssuer()).keys, now: () => now }, { ...rules, ...overrides }, token);
const hash = (text: string) => createHash('sha256').update(text).digest('hex');

describe('a valid token', () => {
  test('identifies the caller by its subject', async () => {
    expect(await callerOf(await sign(claims({ jti: 't-1' })))).toEqual({
      owner: 'alice',
      key_id: hash('t-1').slice(0, 12),
    });
  });

  test('identifies the caller by another claim if configured', async () => {
    const token = await sign(claims({ email: 'alice@example.com' }));
    expect(await callerOf(token, { owner_claim: 'email' })).toEqual({
      owner: 'alice@example.com',
      key_id: hash('alice').slice(0, 12),
    });
  });

  test('may be for several audiences', async () => {
    expect(await callerOf(await sign(claims({ aud: ['other', 'firstframe'] })))).toBeDefined();
  });

  test.each(['ES256', 'PS384', 'EdDSA'])('may be signed by %s', async (alg) => {
    const pair = await generateKeyPair(alg, { extractable: true });
    const own = { ...(await exportJWK(pair.publicKey)), kid: 'own', alg };
    const { keys } = await issuer(() => ({ body: JSON.stringify({ keys: [jwk, own] }) }));
    const token = await sign(claims(), { alg, kid: 'own' }, pair.privateKey);
    expect(await callerOfToken({ keys, now: () => now }, rules, token)).toMatchObject({ owner: 'alice' });
  });

  test.each(['auth0|5f7c', 'Zoë', 'x'.repeat(65), '.', '..', 'a#b', `sub-${'0'.repeat(40)}`])(
    'gets the hash of its subject as owner if that is not a valid owner or resembles a hash: %s',
    async (sub) => {
      const caller = await callerOf(await sign(claims({ sub })));
      expect(caller?.owner).toBe(`sub-${hash(sub).slice(0, 40)}`);
    },
  );

  test('does not get another owner by using its hash as subject', async () => {
    const other = (await callerOf(await sign(claims({ sub: 'auth0|1' }))))!.owner;
    expect((await callerOf(await sign(claims({ sub: other }))))!.owner).not.toBe(other);
  });

  test('is valid from nbf to exp, with 5 s of clock skew', async () => {
    const token = await sign(claims({ nbf: seconds(), exp: seconds() + 600 }));
    for (const [offset, good] of [
      [-6, false],
      [-5, true],
      [0, true],
      [604, true],
      [606, false],
    ] as const) {
      now = start + offset * 1000;
      expect([offset, (await callerOf(token)) !== undefined]).toEqual([offset, good]);
    }
  });
});

describe('rejects a token', () => {
  const forged = async (header: object, payload: object, signature = 'AAAA') =>
    `${[header, payload].map((part) => base64url.encode(JSON.stringify(part))).join('.')}.${signature}`;

  test.each<[string, () => Promise<string>]>([
    ['of another issuer', () => sign(claims({ iss: 'https://id.example' }))],
    ['for another audience', () => sign(claims({ aud: 'other' }))],
    ['without an audience', () => sign(claims({ aud: undefined }))],
    ['without an expiry', () => sign(claims({ exp: undefined }))],
    ['whose expiry is not a number', () => sign(claims({ exp: 'never' }))],
    ['without a subject', () => sign(claims({ sub: undefined }))],
    ['whose subject is empty', () => sign(claims({ sub: '' }))],
    ['whose subject is not a string', () => sign(claims({ sub: { owner: 'alice' } }))],
    ['whose subject is a number', () => sign(claims({ sub: 7 }))],
    ['of an unknown key', () => sign(claims(), { kid: 'k2' })],
    [
      'signed by another’s key under the issuer’s name',
      async () => sign(claims(), {}, (await generateKeyPair('RS256')).privateKey),
    ],
    ['without a signature', async () => new UnsecuredJWT(claims()).encode()],
    ['of algorithm none with a signature', () => forged({ alg: 'none', kid: 'k1' }, claims())],
    [
      'signed with the public key as a secret',
      async () => sign(claims(), { alg: 'HS256' }, new TextEncoder().encode(await exportSPKI(publicKey))),
    ],
    [
      'that brings its own key',
      async () => {
        const own = await generateKeyPair('RS256', { extractable: true });
        return sign(claims(), { jwk: await exportJWK(own.publicKey) }, own.privateKey);
      },
    ],
    ['with an unknown critical header', () => forged({ alg: 'RS256', kid: 'k1', crit: ['x'], x: 1 }, claims())],
    [
      'with another payload than was signed',
      async () => {
        const [header, , signature] = (await sign(claims())).split('.');
        return `${header}.${base64url.encode(JSON.stringify(claims({ sub: 'bob' })))}.${signature}`;
      },
    ],
    ['that is not a JWT', async () => 'ff_key'],
    ['that has three parts but is not a JWT', async () => 'a.b.c'],
    ['whose header is not an object', async () => `${base64url.encode('[]')}.${base64url.encode('{}')}.AAAA`],
  ])('%s', async (_, token) => {
    expect(await callerOf(await token())).toBeUndefined();
  });
});

describe('the keys of the issuer', () => {
  test('are fetched once for many tokens', async () => {
    const { served, keys } = await validIssuer();
    for (let time = 0; time < 3; time += 1) await callerOfToken({ keys, now: () => now }, rules, await sign(claims()));
    expect(served.requests).toBe(1);
  });

  test('are not fetched again for each unknown key id', async () => {
    const { served, keys } = await validIssuer();
    for (const kid of ['a', 'b', 'c', 'd']) {
      expect(await callerOfToken({ keys, now: () => now }, rules, await sign(claims(), { kid }))).toBeUndefined();
    }
    expect(served.requests).toBe(1);
  });

  test.each<[string, Parameters<typeof issuer>[0]]>([
    ['an error', () => ({ status: 503, body: 'down' })],
    ['a redirect', () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/keys' }, body: '' })],
    ['no JSON', () => ({ body: '<html>' })],
    ['no keys', () => ({ body: '{"keys":"none"}' })],
    ['more than any list of keys', () => ({ body: `{"keys":[],"x":"${'x'.repeat(300_000)}"}` })],
  ])('throw KeysUnavailable when they cannot be read (%s), instead of rejecting the token', async (_, keysResponse) => {
    const { keys } = await issuer(keysResponse);
    const rejected = callerOfToken({ keys, now: () => now }, rules, await sign(claims()));
    await expect(rejected).rejects.toThrow(KeysUnavailable);
  });

  test('throw KeysUnavailable without the token when the issuer is unreachable', async () => {
    const keys = remoteKeys('http://127.0.0.1:1/keys', { trustedOrigins: ['http://127.0.0.1:1'], fetch });
    const token = await sign(claims());
    const error: Error = await callerOfToken({ keys, now: () => now }, rules, token).then(
      () => expect.unreachable(),
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(KeysUnavailable);
    expect(error.message).toContain('http://127.0.0.1:1');
    expect(`${error.message} ${error.stack}`).not.toContain(token.slice(0, 40));
  });

  test('are fetched again after a failure', async () => {
    let down = true;
    const { keys } = await issuer(() => (down ? { status: 500, body: '' } : {}));
    const token = await sign(claims());
    await expect(callerOfToken({ keys, now: () => now }, rules, token)).rejects.toThrow(KeysUnavailable);
    down = false;
    expect(await callerOfToken({ keys, now: () => now }, rules, token)).toMatchObject({ owner: 'alice' });
  });

  test.each(['http://id.example/keys', 'http://10.0.0.1/keys', 'http://127.0.0.1:80/keys', 'file:///etc/passwd'])(
    'are never fetched from %s',
    (url) => {
      const never = () => expect.unreachable();
      expect(() => remoteKeys(url, { trustedOrigins: ['http://127.0.0.1:4401'], fetch: never })).toThrow(
        'neither https nor trusted',
      );
    },
  );
});
