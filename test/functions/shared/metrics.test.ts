import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type MetricName, metricUnits } from '../../../functions/shared/metric-names.ts';
import { createMetricRecorder } from '../../../functions/shared/metrics.ts';

/** Collects what the process writes. */
let written: string;
beforeEach(() => {
  written = '';
  vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'firstframe-two');
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
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Returns the recorded lines, parsed as JSON. */
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

describe('a metric', () => {
  test.each(units)('%s is one line of the embedded metric format', (name, unit) => {
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
      service: 'firstframe-two',
      [name]: 1.5,
    });
    const { Timestamp } = line!._aws as { Timestamp: number };
    expect(Timestamp).toBeGreaterThanOrEqual(before);
    expect(Timestamp).toBeLessThanOrEqual(Date.now());
  });

  test('is 1 by default', () => {
    createMetricRecorder()('Submitted');
    expect(lines()).toEqual([expect.objectContaining({ Submitted: 1 })]);
  });

  test('may be 0, which is recorded too', () => {
    createMetricRecorder()('CanaryFailed', 0);
    expect(lines()).toEqual([expect.objectContaining({ CanaryFailed: 0 })]);
  });

  test('with dimensions is recorded with and without them', () => {
    createMetricRecorder()('Submitted', 2, { model: 'wan2.6-i2v', source: 'api' });
    const recorded = lines();
    expect(
      recorded.map(
        ({ _aws }) => (_aws as { CloudWatchMetrics: { Dimensions: string[][] }[] }).CloudWatchMetrics[0]!.Dimensions,
      ),
    ).toEqual([[['service']], [['service', 'model', 'source']]]);
    expect(recorded[0]).not.toHaveProperty('model');
    expect(recorded[1]).toMatchObject({ service: 'firstframe-two', model: 'wan2.6-i2v', source: 'api', Submitted: 2 });
  });

  test('does not contain previous metrics', () => {
    const recordMetric = createMetricRecorder();
    recordMetric('Failed', 1, { code: 'content_refused' });
    recordMetric('Spend', 0.25, { model: 'wan2.2-i2v-flash' });
    const last = lines().at(-1)!;
    expect(Object.keys(last).sort()).toEqual(['Spend', '_aws', 'model', 'service']);
  });

  test('is on its own line among many', () => {
    const recordMetric = createMetricRecorder();
    for (let count = 0; count < 150; count += 1) recordMetric('DetectionLag', count);
    expect(lines().map(({ DetectionLag }) => DetectionLag)).toEqual(Array.from({ length: 150 }, (_, index) => index));
  });
});

test('uses only units of CloudWatch', () => {
  vi.restoreAllMocks();
  for (const [, unit] of units) expect(['Count', 'Seconds', 'None']).toContain(unit);
});
