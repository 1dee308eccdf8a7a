import { beforeAll, describe, expect, test } from 'vitest';
import { type JudgedCall, readCalls } from '../support/aws-calls.ts';
import { type Acknowledgement, acknowledged } from './acknowledged.ts';
import { describeGrant, type Grant, isAllowed, readGrants, refusedCalls, unusedGrants } from './grants.ts';
import { keyCalls, kmsKeyArn } from './key-calls.ts';
import { recordCalls } from './record-calls.ts';

let calls: JudgedCall[];
let grants: Grant[];
/** The grants without an acknowledgement, which must be used. */
let used: Grant[];
beforeAll(async () => {
  // `local` is the developer's access key, which the tests use.
  calls = readCalls(await recordCalls()).filter(({ principal }) => principal !== 'local');
  grants = await readGrants();
  used = grants.filter((grant) => !acknowledged.some((row) => isAcknowledged(row, grant)));
});

const isAcknowledged = ({ actions, role, resource, condition }: Acknowledgement, grant: Grant): boolean =>
  actions.includes(grant.action) &&
  (role?.test(grant.role) ?? true) &&
  (resource?.test(grant.resource) ?? true) &&
  (condition?.test(JSON.stringify(grant.condition ?? {})) ?? true);

test('every call of the end-to-end tests is allowed by the role that made it', async () => {
  const roles = new Set(grants.map(({ role }) => role));
  expect([...new Set(calls.map(({ principal }) => principal))].filter((role) => !roles.has(role))).toEqual([]);
  expect(await refusedCalls(calls, grants)).toEqual([]);
});

test('every grant is used, or acknowledged with a reason', async () => {
  expect((await unusedGrants(used, calls)).map(describeGrant)).toEqual([]);
});

test("with the operator's key, every call may use the key", async () => {
  const withKey = await readGrants({ kmsKeyArn });
  const needed = keyCalls(calls);
  expect(needed.length).toBeGreaterThan(50);
  expect(await refusedCalls([...calls, ...needed], withKey)).toEqual([]);
});

test('every acknowledgement matches existing grants that are unused, except in a race', async () => {
  for (const row of acknowledged) {
    const own = grants.filter((grant) => isAcknowledged(row, grant));
    expect(own, row.why).not.toEqual([]);
    if (!row.sometimes) expect(await unusedGrants(own, calls), row.why).toEqual(own);
  }
});

describe('this test can fail', () => {
  test('removing any grant causes refused calls', async () => {
    const unnoticed: string[] = [];
    for (const grant of used) {
      const own = calls.filter(({ principal, action }) => principal === grant.role && action === grant.action);
      const left = grants.filter((other) => other !== grant);
      if ((await refusedCalls(own, left)).length === 0) unnoticed.push(describeGrant(grant));
    }
    expect(unnoticed).toEqual([]);
  });

  test('reports a superfluous grant', async () => {
    const extra: Grant = { ...used[0]!, action: 's3:DeleteBucket', resource: 'arn:aws:s3:::firstframe-videos' };
    expect(await unusedGrants([extra], calls)).toEqual([extra]);
  });

  test('evaluates conditions: refuses a listing of another prefix', async () => {
    const grant = grants.find(({ condition }) => condition?.StringLike?.['s3:prefix'] === 'drop/*')!;
    const call = (conditions: Record<string, string>) => {
      const { role: principal, action, resource } = grant;
      return isAllowed({ principal, action, resource, conditions }, [grant]);
    };
    expect(await call({ 's3:prefix': 'drop/a/cat.png' })).toBe(true);
    expect(await call({ 's3:prefix': 'inputs/' })).toBe(false);
    expect(await call({})).toBe(false);
  });

  test('allows the state machine to write wait items and no others', async () => {
    const own = grants.filter(({ role, action }) => /-state-machine$/.test(role) && action.startsWith('dynamodb:'));
    expect(own.map(({ action }) => action)).toEqual(['dynamodb:UpdateItem']);
    const call = (keys?: string[]) => {
      const { role: principal, action, resource } = own[0]!;
      return isAllowed(
        { principal, action, resource, ...(keys ? { conditions: { 'dynamodb:LeadingKeys': keys } } : {}) },
        own,
      );
    };
    const made = calls.filter(
      ({ principal, action }) => principal === own[0]!.role && action === 'dynamodb:UpdateItem',
    );
    expect(made).not.toEqual([]);
    for (const { conditions } of made)
      expect(conditions?.['dynamodb:LeadingKeys']).toEqual([expect.stringMatching(/^wait#/)]);
    expect(await call(['wait#d4de114c-4017-81c9-877c-7f159dc693e2'])).toBe(true);
    for (const key of [
      'video#d4de114c-4017-81c9-877c-7f159dc693e2',
      'watcher',
      'queue#wan2.2-i2v-plus',
      'api-key#hash',
    ])
      expect(await call([key]), key).toBe(false);
    expect(await call(['wait#one', 'video#one'])).toBe(false);
    expect(await call()).toBe(false);
  });
});
