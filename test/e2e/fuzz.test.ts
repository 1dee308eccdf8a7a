import { afterAll, beforeAll, expect, test } from 'vitest';
import { fuzz } from '../fuzz/campaign.ts';
import { type FuzzTarget, openTarget } from '../fuzz/target.ts';

let target: FuzzTarget;
beforeAll(async () => {
  target = await openTarget();
}, 120_000);
afterAll(() => target?.api.close());

test('requests of every kind get answers that the contract allows (npm run test:fuzz sends more)', async () => {
  const report = await fuzz(target.api, { seed: 1, requests: 250, secrets: target.secrets });
  expect(report.faults).toEqual([]);
  expect(report.requests).toBe(250);
}, 120_000);
