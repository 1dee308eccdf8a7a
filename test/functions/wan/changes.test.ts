import { describe, expect, test } from 'vitest';
import { catalogueChanges, mergeChanges, retirementOf, rowNames, rowOf } from '../../../functions/wan/changes.ts';
import { estimatedCost, offeredModels, priceOf } from '../../../functions/wan/prices.ts';
import { checkRequest } from '../../../functions/wan/validation/request.ts';
import { aDeployment } from '../../support/videos.ts';
import { body, strict } from './validation/support.ts';

const day = 24 * 3600_000;
const now = Date.parse('2026-12-01T12:00:00Z');
const usd = (per_second: Record<string, number>) => ({ currency: 'USD', as_of: '2026-12-01', per_second }) as const;
const added = { 'wan9.9-i2v': { family: 'wan2.6-i2v', prices: usd({ '720P': 0.2, '1080P': 0.3 }) } } as const;

const issuesOf = (changes: unknown) =>
  catalogueChanges.safeParse(changes).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('the schema of changes', () => {
  test('accepts every property of a row and of an added row', () => {
    const row = {
      offered: false,
      limits: { concurrent_tasks: 1, submits_per_second: 0.5 },
      prices: usd({ '720P': 0.2 }),
      typical_seconds: { base: 10, per_video_second: 1 },
      retires_at: '2027-01-31',
      replaced_by: 'wan9.9-i2v',
    };
    expect(issuesOf({ 'wan2.7-i2v': row, ...added })).toEqual([]);
  });

  test.each([
    [{ 'wan9.9-i2v': {} }, /wan9\.9-i2v\.family: must name/],
    [{ 'wan2.7-i2v': { family: 'wan2.6-i2v' } }, /family: must be left out/],
    [{ 'wan2.7-i2v': { replaced_by: 'wan2.7-i2v' } }, /replaced_by: must name another/],
    [{ 'wan2.7-i2v': { replaced_by: 'wan8' } }, /replaced_by: must name another/],
    [{ 'wan2.7-i2v': { retires_at: 'soon' } }, /must be a date/],
    [{ 'wan2.7-i2v': { prices: usd({ '480P': 1 }) } }, /480P: must be left out: the model has 720P, 1080P/],
    [{ 'wan2.7-i2v': { price: 1 } }, /Unrecognized key: "price"/],
    [{ 'Wan 9': { family: 'wan2.6-i2v' } }, /Wan 9/],
    [{ 'wan2.7-i2v': { limits: { submits_per_second: 0 } } }, /above 0/],
  ])('refuses %j', (changes, expected) => {
    expect(issuesOf(changes).join('\n')).toMatch(expected);
  });
});

test('a change replaces the properties that it names and no others', () => {
  const file = { 'wan2.7-i2v': { offered: false, retires_at: '2027-01-01' } };
  const operators = { 'wan2.7-i2v': { offered: true }, ...added };
  expect(mergeChanges(file, operators)).toEqual({
    'wan2.7-i2v': { offered: true, retires_at: '2027-01-01' },
    ...added,
  });
});

describe('an added model', () => {
  const deployment = { ...aDeployment(), changes: added };

  test('is offered with the rules of its family, at its own price', () => {
    expect(rowNames(added).at(-1)).toBe('wan9.9-i2v');
    expect(offeredModels(deployment).at(-1)).toMatchObject({
      name: 'wan9.9-i2v',
      family: 'wan2.6-i2v',
      shot_type: true,
    });
    const checked = checkRequest(body({ duration: 10 }, {}, 'wan9.9-i2v'), { ...strict, deployment });
    if (!checked.ok) throw new Error(JSON.stringify(checked.issues));
    expect(checked.request).toMatchObject({ model: 'wan9.9-i2v', family: 'wan2.6-i2v' });
    expect(estimatedCost(checked.request, [], deployment)).toMatchObject({ amount: 3, as_of: '2026-12-01' });
    const refused = checkRequest(body({ duration: 7 }, {}, 'wan9.9-i2v'), { ...strict, deployment });
    expect(refused).toMatchObject({ ok: false, issues: [{ code: 'unsupported_duration' }] });
  });

  test('is not offered without a price for each resolution, nor with one in another currency', () => {
    const names = (changes: object) =>
      offeredModels({ ...aDeployment(), changes: catalogueChanges.parse(changes) }).map(({ name }) => name);
    const family = 'wan2.6-i2v';
    expect(names({ new: { family } })).not.toContain('new');
    expect(names({ new: { family, prices: usd({ '720P': 1 }) } })).not.toContain('new');
    expect(names({ new: { family, prices: { ...usd({ '720P': 1, '1080P': 2 }), currency: 'CNY' } } })).not.toContain(
      'new',
    );
    expect(names({ new: { family, prices: usd({ '720P': 1, '1080P': 2 }) } })).toContain('new');
  });

  test('is unknown where it was not added, as is the name of a property of objects', () => {
    expect(rowOf('wan9.9-i2v')).toBeUndefined();
    expect(rowOf('constructor', added)).toBeUndefined();
    expect(priceOf('__proto__', '720P', 5, deployment)).toBeUndefined();
  });
});

test('a model that is turned off is refused, although it has a price', () => {
  const deployment = { ...aDeployment(), changes: { 'wan2.6-i2v': { offered: false } } };
  expect(checkRequest(body(), { ...strict, deployment })).toMatchObject({
    ok: false,
    issues: [{ pointer: '/model', code: 'model_not_offered', message: expect.stringContaining('turned it off') }],
  });
});

describe('a retirement', () => {
  const changes = { 'wan2.6-i2v': { retires_at: '2026-12-31', replaced_by: 'wan2.7-i2v' } };
  const at = (time: number) =>
    checkRequest(body(), { ...strict, deployment: { ...aDeployment(), changes, now: time } });

  test('is a 400 that names the successor from the day on', () => {
    const refused = at(Date.parse('2026-12-31T00:00:00Z'));
    expect(refused).toMatchObject({
      ok: false,
      issues: [{ pointer: '/model', code: 'model_retired', message: expect.stringContaining('Use wan2.7-i2v.') }],
    });
    expect(
      offeredModels({ ...aDeployment(), changes, now: Date.parse('2027-01-01') }).map(({ name }) => name),
    ).not.toContain('wan2.6-i2v');
  });

  test('is a warning within the 30 days before, and nothing earlier', () => {
    expect(at(Date.parse('2026-12-30T23:59:59Z'))).toMatchObject({
      ok: true,
      warnings: [{ pointer: '/model', code: 'model_retires_soon', message: expect.stringContaining('2026-12-31') }],
    });
    expect(at(Date.parse('2026-12-31') - 30 * day - 1)).toMatchObject({ ok: true, warnings: [] });
    expect(retirementOf({ retires_at: '2026-12-31' }, now)).toBe('soon');
    expect(retirementOf({}, now)).toBeUndefined();
  });
});
