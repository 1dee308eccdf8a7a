import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type MetricName, metricUnits } from '../../../functions/shared/metric-names.ts';
import { createMetricRecorder } from '../../../functions/shared/metrics.ts';

/** Everything the process writes meanwhile. */
let written: string;
beforeEach(() => {
  written = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      written += String(chunk);
      return true;
    });
  }
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...words) => {
      written += `${words.join(' ')}\n`;
    });
  }
});
afterEach(() => void vi.restoreAllMocks());

/** What was told, line by line; each must be JSON. */
const lines = (): Record<string, unknown>[] => {
  const text = written;
  vi.restoreAllMocks();
  if (text === '') return [];
  expect(text.endsWith('\n')).toBe(true);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line));
};

const units = Object.entries(metricUnits) as [MetricName, string][];

describe('a figure', () => {
  test.each(units)('%s is one line of the embedded metric format, and nothing else', (name, unit) => {
    const before = Date.now();
    createMetricRecorder()(name, 1.5);
    const [line, ...others] = lines();
    expect(others).toEqual([]);
    expect(line).toEqual({
      _aws: {
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [
          { Namespace: 'firstframe', Dimensions: [['service']], Metrics: [{ Name: name, Unit: unit }] },
        ],
      },
      service: 'firstframe',
      [name]: 1.5,
    });
    const { Timestamp } = line!._aws as { Timestamp: number };
    expect(Timestamp).toBeGreaterThanOrEqual(before);
    expect(Timestamp).toBeLessThanOrEqual(Date.now());
  });

  test('is one when nothing else is said', () => {
    createMetricRecorder()('Submitted');
    expect(lines()).toEqual([expect.objectContaining({ Submitted: 1 })]);
  });

  test('may be nothing, which is told as well', () => {
    createMetricRecorder()('CanaryFailed', 0);
    expect(lines()).toEqual([expect.objectContaining({ CanaryFailed: 0 })]);
  });

  test('with dimensions is told in all and by them, since CloudWatch adds nothing up', () => {
    createMetricRecorder()('Submitted', 2, { model: 'wan2.6-i2v', source: 'api' });
    const told = lines();
    expect(
      told.map(
        ({ _aws }) => (_aws as { CloudWatchMetrics: { Dimensions: string[][] }[] }).CloudWatchMetrics[0]!.Dimensions,
      ),
    ).toEqual([[['service']], [['service', 'model', 'source']]]);
    expect(told[0]).not.toHaveProperty('model');
    expect(told[1]).toMatchObject({ service: 'firstframe', model: 'wan2.6-i2v', source: 'api', Submitted: 2 });
  });

  test('says nothing of those before it', () => {
    const recordMetric = createMetricRecorder();
    recordMetric('Failed', 1, { code: 'content_refused' });
    recordMetric('Spend', 0.25, { model: 'wan2.2-i2v-flash' });
    const last = lines().at(-1)!;
    expect(Object.keys(last).sort()).toEqual(['Spend', '_aws', 'model', 'service']);
  });

  test('of many in a row each stands in a line of its own', () => {
    const recordMetric = createMetricRecorder();
    for (let count = 0; count < 150; count += 1) recordMetric('DetectionLag', count);
    expect(lines().map(({ DetectionLag }) => DetectionLag)).toEqual(Array.from({ length: 150 }, (_, index) => index));
  });
});

test('every unit is one that CloudWatch knows', () => {
  vi.restoreAllMocks();
  for (const [, unit] of units) expect(['Count', 'Seconds', 'None']).toContain(unit);
});
