import { beforeAll, describe, expect, test } from 'vitest';
import { metricUnits } from '../../../functions/shared/metric-names.ts';
import type { Synthesis } from '../../../infra/synth/synthesize.ts';
import { flatten, resourcesOf, synthesizeStandIns } from '../support.ts';

let synthesis: Synthesis;
let body: string;
beforeAll(async () => {
  synthesis = await synthesizeStandIns();
  const [dashboard, ...others] = resourcesOf(synthesis.template, 'AWS::CloudWatch::Dashboard');
  expect(others).toEqual([]);
  body = flatten(dashboard!.properties.DashboardBody);
});

interface Widget {
  type: string;
  x: number;
  y: number;
  width: number;
  height: number;
  properties: { title: string; alarms?: string[]; metrics?: unknown[][] };
}

const widgets = (): Widget[] => JSON.parse(body).widgets;
/** Returns every line of every graph as text. */
const lines = (): string[] =>
  widgets().flatMap(({ properties }) => (properties.metrics ?? []).map((line) => JSON.stringify(line)));

describe('the dashboard', () => {
  test.each(Object.keys(metricUnits))('shows %s over all dimensions', (name) => {
    expect(lines().filter((line) => line.startsWith(`["firstframe","${name}","service","firstframe"`))).not.toEqual([]);
  });

  test.each([
    ['Failed', 'code'],
    ['Spend', 'model'],
    ['Submitted', 'model,source'],
    ['CanaryFailed', 'outcome'],
  ])('shows %s by %s with a search, since the values are not known in advance', (name, dimensions) => {
    expect(
      lines().filter((line) => line.includes(`{firstframe,service,${dimensions}} MetricName=\\"${name}\\"`)),
    ).toHaveLength(1);
  });

  test.each(['p50', 'p95'])('shows the %s of seconds to finish and of the detection lag', (statistic) => {
    for (const name of ['SecondsToFinish', 'DetectionLag']) {
      expect(lines().some((line) => line.includes(`"${name}"`) && line.includes(`"stat":"${statistic}"`))).toBe(true);
    }
  });

  test('shows the state of each alarm', () => {
    const shown = widgets().flatMap(({ properties }) => properties.alarms ?? []);
    const alarms = resourcesOf(synthesis.template, 'AWS::CloudWatch::Alarm').map(({ id }) => `<${id}.Arn>`);
    expect(shown.sort()).toEqual(alarms.sort());
  });

  test('shows errors, throttles, duration and concurrency of each function, and no 401s as errors of the authorizer', () => {
    for (const [id, { name }] of Object.entries(synthesis.functions)) {
      const expected = ['Errors', 'Throttles', 'Duration', 'ConcurrentExecutions'].slice(name === 'authorize' ? 1 : 0);
      const shown = ['Errors', 'Throttles', 'Duration', 'ConcurrentExecutions'].filter((metric) =>
        lines().some((line) => line.startsWith(`["AWS/Lambda","${metric}","FunctionName","<${id}>"`)),
      );
      expect([name, shown]).toEqual([name, expected]);
    }
  });

  test('shows each queue and each state machine', () => {
    for (const { id } of resourcesOf(synthesis.template, 'AWS::SQS::Queue')) {
      expect(lines().some((line) => line.includes(`"QueueName","<${id}.QueueName>"`))).toBe(true);
    }
    for (const { id } of resourcesOf(synthesis.template, 'AWS::StepFunctions::StateMachine')) {
      for (const metric of ['ExecutionsStarted', 'ExecutionsSucceeded', 'ExecutionsFailed']) {
        expect(lines().some((line) => line.includes(`"${metric}","StateMachineArn","<${id}>"`))).toBe(true);
      }
    }
  });

  test.each(['Count', 'Latency', '4XXError', '5XXError'])("shows the API's %s at its stage", (metric) => {
    expect(
      lines().some((line) => line.startsWith(`["AWS/ApiGateway","${metric}","ApiName","firstframe","Stage"`)),
    ).toBe(true);
  });

  test('places its widgets without overlap within 24 columns', () => {
    const places = widgets().map(({ x, y }) => `${x} ${y}`);
    expect(new Set(places).size).toBe(places.length);
    for (const { x, width } of widgets()) expect(x + width).toBeLessThanOrEqual(24);
  });
});
