import { beforeAll, expect, test } from 'vitest';
import { describeGrant, type Grant, readGrants, refusedCalls, unusedGrants } from '../least-privilege/grants.ts';
import { keyCalls, kmsKeyArn } from '../least-privilege/key-calls.ts';

let grants: Grant[];
beforeAll(async () => {
  grants = await readGrants({ kmsKeyArn });
});

const isOfKey = ({ action }: Grant): boolean => action.startsWith('kms:');
/** The calls to KMS that the other grants lead to. */
const needed = () =>
  keyCalls(grants.filter((grant) => !isOfKey(grant)).map((grant) => ({ ...grant, principal: grant.role })));

test("with the operator's key, each role may use it for whatever else the role allows", async () => {
  expect(needed().length).toBeGreaterThan(50);
  expect(await refusedCalls(needed(), grants)).toEqual([]);
});

test('and for nothing else: only by a service that the role uses, and only that key', async () => {
  expect((await unusedGrants(grants.filter(isOfKey), needed())).map(describeGrant)).toEqual([]);
});

test('removing any of these grants is noticed', async () => {
  for (const grant of grants.filter(isOfKey)) {
    const own = needed().filter(({ principal, action }) => principal === grant.role && action === grant.action);
    const left = grants.filter((other) => other !== grant);
    expect(await refusedCalls(own, left), describeGrant(grant)).not.toEqual([]);
  }
});

test('without the key no role has such a grant', async () => {
  expect((await readGrants()).filter(isOfKey)).toEqual([]);
});
