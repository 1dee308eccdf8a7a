import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { callerOfPrincipal } from '../../../../functions/api/auth/iam-principal.ts';
import { ownerName } from '../../../../functions/shared/environment.ts';

const ownerOf = (userArn: string) => callerOfPrincipal({ userArn })?.owner;
const hash = (text: string, length: number) => createHash('sha256').update(text).digest('hex').slice(0, length);
const account = '123456789012';

test.each([
  [`arn:aws:iam::${account}:user/alice`, `${account}.user.alice`],
  [`arn:aws:iam::${account}:user/divisions/film/alice`, `${account}.user.alice`],
  [`arn:aws:iam::${account}:user/bob@example.com`, `${account}.user.bob@example.com`],
  [`arn:aws:sts::${account}:assumed-role/Studio/i-0abc`, `${account}.role.Studio`],
  [`arn:aws:sts::${account}:federated-user/carol`, `${account}.federated.carol`],
  [`arn:aws:iam::${account}:root`, `${account}.root`],
  [`arn:aws-cn:iam::${account}:user/alice`, `${account}.user.alice`],
  [`arn:aws-us-gov:sts::${account}:assumed-role/Studio/x`, `${account}.role.Studio`],
])('maps %s to the owner %s', (arn, owner) => {
  expect(ownerOf(arn)).toBe(owner);
});

test('gives all sessions of a role one owner, and each its own key id', () => {
  const [one, other] = ['a', 'b'].map((session) =>
    callerOfPrincipal({ userArn: `arn:aws:sts::${account}:assumed-role/Studio/${session}` }),
  );
  expect(one!.owner).toBe(other!.owner);
  expect(one!.key_id).toMatch(/^[0-9a-f]{12}$/);
  expect(one!.key_id).not.toBe(other!.key_id);
});

test('gives a user and a role of the same name two owners', () => {
  expect(ownerOf(`arn:aws:iam::${account}:user/x`)).not.toBe(ownerOf(`arn:aws:sts::${account}:assumed-role/x/s`));
});

test.each(['a+b=c,d', 'x'.repeat(64)])('hashes a name that is not a valid owner: %s', (name) => {
  for (const [arn, kind] of [
    [`arn:aws:iam::${account}:user/${name}`, 'user'],
    [`arn:aws:sts::${account}:assumed-role/${name}/s`, 'role'],
    [`arn:aws:sts::${account}:federated-user/${name}`, 'federated'],
  ] as const) {
    const owner = ownerOf(arn)!;
    expect(owner).toBe(`${account}.${kind}-${hash(name, 40)}`);
    expect(ownerName.safeParse(owner).success).toBe(true);
  }
});

test('a name that resembles a hashed owner does not become that owner', () => {
  const hashed = ownerOf(`arn:aws:iam::${account}:user/a+b`)!;
  const name = hashed.slice(`${account}.`.length);
  expect(ownerOf(`arn:aws:iam::${account}:user/${name}`)).not.toBe(hashed);
});

test.each([
  undefined,
  null,
  '',
  'alice',
  'arn:aws:iam::123:user/alice',
  `arn:aws:iam::${account}:user/`,
  `arn:aws:iam::${account}:user`,
  `arn:aws:iam::${account}:rooted`,
  `arn:aws:iam::${account}:role/Studio`,
  `arn:aws:sts::${account}:assumed-role/Studio`,
  `arn:aws:s3::${account}:user/alice`,
  `arn:other:iam::${account}:user/alice`,
  ` arn:aws:iam::${account}:user/alice`,
])('rejects %j', (userArn) => {
  expect(callerOfPrincipal({ userArn: userArn as string })).toBeUndefined();
});
