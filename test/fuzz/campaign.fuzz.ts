import { afterAll, beforeAll, expect, test } from 'vitest';
import { fuzz } from './campaign.ts';
import { type FuzzTarget, openTarget } from './target.ts';

/** Random unless `SEED` is set. */
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const requests = Number(process.env.REQUESTS ?? 5000);

let target: FuzzTarget;
beforeAll(async () => {
  target = await openTarget();
}, 120_000);
afterAll(() => target?.api.close());

test(`${requests} requests get responses that the contract allows, without secrets or other owners' data (SEED=${seed})`, async () => {
  const began = Date.now();
  const report = await fuzz(target.api, { seed, requests, secrets: target.secrets });
  console.table(report.responses);
  console.log(`${report.requests} requests in ${Math.round((Date.now() - began) / 1000)} s, ${report.videos} videos`);
  expect(report.faults).toEqual([]);
  expect(report.requests).toBe(requests);
}, 600_000);
