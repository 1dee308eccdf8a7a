import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { metricUnits } from '../../../functions/shared/metric-names.ts';
import { projectRoot } from '../../../infra/synth/bundle.ts';
import type { Synthesis } from '../../../infra/synth/synthesize.ts';
import { type Found, flatten, resourcesOf, synthesizeStandIns } from '../support.ts';

let synthesis: Synthesis;
let alarms: Found[];
beforeAll(async () => {
  synthesis = await synthesizeStandIns();
  alarms = resourcesOf(synthesis.template, 'AWS::CloudWatch::Alarm');
});

const all = (type: string): Found[] => resourcesOf(synthesis.template, type);
const alarm = (id: string): Found['properties'] => alarms.find((found) => found.id === `${id}Alarm`)?.properties;

interface AlarmMetric {
  Namespace: string;
  MetricName: string;
  Dimensions: Dimension[];
  Period: number;
  Stat?: string;
}
/** Returns the metrics of an alarm, also those of its expression. */
const metricsOf = ({ properties }: Found): AlarmMetric[] =>
  properties.Metrics?.flatMap(
    ({ MetricStat }: { MetricStat?: { Metric: AlarmMetric; Period: number; Stat: string } }) =>
      MetricStat ? [{ ...MetricStat.Metric, Period: MetricStat.Period, Stat: MetricStat.Stat }] : [],
  ) ?? [properties];
const expressionOf = ({ properties }: Found): string | undefined =>
  properties.Metrics?.find(({ Expression }: { Expression?: string }) => Expression)?.Expression;

interface Dimension {
  Name: string;
  Value: unknown;
}

/** Whether an alarm monitors a metric of this resource. */
const monitors = (found: Found, namespace: string, metric: string, resource: string): boolean =>
  metricsOf(found).some(
    ({ Namespace, MetricName, Dimensions }) =>
      Namespace === namespace &&
      MetricName === metric &&
      Dimensions.some(({ Value }) => flatten(Value).replace(/^<([^.>]+).*>$/, '$1') === resource),
  );

const unmonitored = (resources: Found[], namespace: string, metric: string): string[] =>
  resources
    .filter(({ id }) => !alarms.some((found) => monitors(found, namespace, metric, id)))
    .map(({ id }) => synthesis.functions[id]?.name ?? id);

describe('an alarm', () => {
  test.each<[string, Record<string, unknown>]>([
    ['UpstreamTasksAboveOne', { MetricName: 'UpstreamTasksPerVideo', Statistic: 'Maximum', Threshold: 1 }],
    ['QueuePaused', { MetricName: 'QueuePaused', Statistic: 'Sum', Threshold: 1 }],
    [
      'UntrustedVideoHost',
      { MetricName: 'UntrustedVideoHost', Statistic: 'Sum', Threshold: 1, EvaluationPeriods: 1, Period: 900 },
    ],
    ['UpstreamExpiryNear', { MetricName: 'MinutesToUpstreamExpiry', Statistic: 'Minimum', Threshold: 240 }],
    ['TasksUnwatched', { MetricName: 'SecondsUnwatched', Statistic: 'Maximum', Threshold: 300, EvaluationPeriods: 1 }],
    ['WanThrottles', { MetricName: 'WanThrottled', Statistic: 'Sum', EvaluationPeriods: 3 }],
    ['WebhookFailed', { MetricName: 'WebhookFailed', Statistic: 'Sum', Threshold: 1, Period: 300 }],
    ['CanaryFails', { MetricName: 'CanaryFailed', Statistic: 'Minimum', EvaluationPeriods: 3 }],
  ])('%s monitors a metric of the functions over all dimensions', (id, expected) => {
    expect(alarm(id)).toMatchObject({
      Namespace: 'firstframe',
      Dimensions: [{ Name: 'service', Value: 'firstframe' }],
      ...expected,
    });
    expect(Object.keys(metricUnits)).toContain(alarm(id).MetricName);
  });

  test('rings above one task per video, and below the remaining hours of a task', () => {
    expect(alarm('UpstreamTasksAboveOne').ComparisonOperator).toBe('GreaterThanThreshold');
    expect(alarm('UpstreamExpiryNear').ComparisonOperator).toBe('LessThanThreshold');
    const others = alarms.filter(({ id }) => !id.endsWith('SilentAlarm'));
    for (const { id, properties } of others) {
      if (['UpstreamTasksAboveOneAlarm', 'UpstreamExpiryNearAlarm'].includes(id)) continue;
      expect([id, properties.ComparisonOperator]).toEqual([id, 'GreaterThanOrEqualToThreshold']);
    }
  });

  test('monitors every queue, and keeps ringing when SQS stops reporting its metrics', () => {
    const [working, deadLetters] = [true, false].map((isDelivered) =>
      all('AWS::SQS::Queue').filter(({ properties }) => 'RedrivePolicy' in properties === isDelivered),
    );
    expect(deadLetters!.length).toBeGreaterThan(1);
    expect(unmonitored(deadLetters!, 'AWS/SQS', 'ApproximateNumberOfMessagesVisible')).toEqual([]);
    expect(working!.map(({ id }) => id).sort()).toEqual(['DropWaitQueue', 'SlowWebhookQueue', 'WebhookQueue']);
    expect(unmonitored(working!, 'AWS/SQS', 'ApproximateAgeOfOldestMessage')).toEqual([]);
    for (const { properties } of alarms.filter((found) => found.properties.Namespace === 'AWS/SQS')) {
      expect(properties.TreatMissingData).toBe('ignore');
      if (properties.MetricName === 'ApproximateNumberOfMessagesVisible') expect(properties.Threshold).toBe(1);
    }
  });

  test('rings for a drop after its second delivery failed and before the third', async () => {
    const { template } = await synthesizeStandIns({ drop: { sidecarSeconds: 100 } });
    const { VisibilityTimeout } = template.Resources.DropWaitQueue!.Properties as { VisibilityTimeout: number };
    const { Threshold, Period } = template.Resources.DropsWaitLongAlarm!.Properties as Record<string, number>;
    expect(Threshold).toBeGreaterThan(100 + VisibilityTimeout);
    expect(Threshold! + Period!).toBeLessThan(100 + 2 * VisibilityTimeout);
  });

  test.each([
    ['WebhooksWaitLong', 'WebhookQueue', 5],
    ['SlowWebhooksWaitLong', 'SlowWebhookQueue', 30],
  ])('%s rings when a message of %s is %i minutes old', (id, queue, minutes) => {
    const found = alarms.find((one) => one.id === `${id}Alarm`)!;
    expect(monitors(found, 'AWS/SQS', 'ApproximateAgeOfOldestMessage', queue)).toBe(true);
    expect(found.properties).toMatchObject({ Statistic: 'Maximum', Threshold: minutes * 60 });
  });

  test('monitors the failures of every state machine, and timeouts of those with a time limit', () => {
    const machines = all('AWS::StepFunctions::StateMachine');
    expect(machines.length).toBeGreaterThan(0);
    expect(unmonitored(machines, 'AWS/States', 'ExecutionsFailed')).toEqual([]);
    const limited = machines.filter(
      ({ properties }) => 'TimeoutSeconds' in JSON.parse(flatten(properties.DefinitionString)),
    );
    expect(limited.map(({ id }) => id)).toContain('StateMachine');
    expect(unmonitored(limited, 'AWS/States', 'ExecutionsTimedOut')).toEqual([]);
  });

  test('monitors every function that a rule or a queue invokes, since no caller sees its errors', () => {
    const invoked: unknown[] = [
      ...all('AWS::Events::Rule').flatMap(({ properties }) =>
        properties.Targets.map(({ Arn }: { Arn: unknown }) => Arn),
      ),
      ...all('AWS::Lambda::EventSourceMapping').map(({ properties }) => properties.FunctionName),
    ];
    const targets = invoked
      .filter((target) => !flatten(target).endsWith('Queue.Arn>'))
      .map((target) => {
        const alias = synthesis.template.Resources[flatten(target).slice(1, -1)]!.Properties as {
          FunctionName: { Ref: string };
        };
        return alias.FunctionName.Ref;
      });
    const scheduled = all('AWS::Lambda::Function').filter(({ id }) => targets.includes(id));
    expect(scheduled.map(({ id }) => synthesis.functions[id]!.name).sort()).toEqual([
      'canary',
      'deliver',
      'dispatch',
      'drop',
      'sweep',
      'watch',
    ]);
    // A failed watcher is replaced within a minute. TasksUnwatched rings when no watcher runs.
    const others = scheduled.filter(({ id }) => synthesis.functions[id]!.name !== 'watch');
    expect(unmonitored(others, 'AWS/Lambda', 'Errors')).toEqual([]);
  });

  test.each([
    ['DispatchSilent', 'Invocations', 15],
    ['SweepSilent', 'Invocations', 30],
    ['CanarySilent', 'CanaryFailed', 60],
  ])('%s rings after one period without data, not after five, and not before the first data', (id, metric, minutes) => {
    const found = alarms.find((one) => one.id === `${id}Alarm`)!;
    expect(metricsOf(found)).toMatchObject([{ MetricName: metric, Period: minutes * 60 }]);
    expect(expressionOf(found)).toBe('FILL(m, 0)');
    expect(found.properties).toMatchObject({
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      EvaluationPeriods: 1,
      TreatMissingData: 'ignore',
    });
  });

  test.each(['dispatch', 'sweep'])('rings when the schedule of %s stops', (name) => {
    const [id] = Object.entries(synthesis.functions).find(([, found]) => found.name === name)!;
    expect(
      unmonitored(
        all('AWS::Lambda::Function').filter((found) => found.id === id),
        'AWS/Lambda',
        'Invocations',
      ),
    ).toEqual([]);
  });

  test('rings when a function with a waiting caller fails or is throttled, except for the authorizer and its 401s', () => {
    const named = (...names: string[]) =>
      all('AWS::Lambda::Function').filter(({ id }) => names.includes(synthesis.functions[id]!.name));
    for (const metric of ['Errors', 'Throttles']) {
      expect(unmonitored(named('submit', 'videos', 'dashscope'), 'AWS/Lambda', metric)).toEqual([]);
      expect(unmonitored(named('authorize'), 'AWS/Lambda', metric)).toEqual(['authorize']);
    }
    const found = alarms.find(({ id }) => id === 'ApiFunctionsFailAlarm')!;
    expect(metricsOf(found).map(({ Stat, Period }) => [Stat, Period])).toEqual(Array(6).fill(['Sum', 300]));
    expect(expressionOf(found)).toBe(
      'FILL(m0, 0) + FILL(m1, 0) + FILL(m2, 0) + FILL(m3, 0) + FILL(m4, 0) + FILL(m5, 0)',
    );
  });

  test('rings for 5xx responses of the stage that callers use', () => {
    expect(alarm('ApiFails')).toMatchObject({ Namespace: 'AWS/ApiGateway', MetricName: '5XXError', Statistic: 'Sum' });
    expect(alarm('ApiFails').Dimensions.map(({ Name }: Dimension) => Name)).toEqual(['ApiName', 'Stage']);
  });

  test('describes its meaning and what to do, defines how to treat missing data, and notifies the topic', () => {
    const [topic] = all('AWS::SNS::Topic');
    for (const { id, properties } of alarms) {
      const { AlarmDescription: description, TreatMissingData, AlarmActions, AlarmName } = properties;
      expect(description, id).toMatch(/^[A-Z].{20,}\. [A-Z].{15,}\. See docs\/runbook\.md#[a-z-]+$/);
      expect(TreatMissingData, id).toMatch(/^(notBreaching|breaching|ignore)$/);
      expect(AlarmActions, id).toEqual([{ Ref: topic!.id }]);
      expect([id, AlarmName]).toEqual([expect.stringMatching(/^[A-Za-z]+Alarm$/), undefined]);
    }
  });

  test('evaluates at most one day, the limit of CloudWatch', () => {
    for (const found of alarms) {
      for (const { Period } of metricsOf(found))
        expect(Period * found.properties.EvaluationPeriods).toBeLessThanOrEqual(86_400);
    }
  });
});

describe('the runbook', () => {
  const runbook = readFileSync(join(projectRoot, 'docs', 'runbook.md'), 'utf8');
  const sections = runbook.split(/^## /m).slice(1);
  const entries = sections.filter((section) => !/^Symptom: /m.test(section)).map((section) => section.split('\n')[0]!);
  /** Returns the anchor of a heading in rendered Markdown. */
  const anchorOf = (title: string): string =>
    title
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-');

  test('has an entry for each alarm, and an alarm for each entry', () => {
    const named = new Set(alarms.map(({ properties }) => /#([a-z-]+)$/.exec(properties.AlarmDescription)![1]));
    expect(entries.map(anchorOf).sort()).toEqual([...named].sort());
  });

  test('lists under each entry the alarms that link to it', () => {
    const listed = sections.flatMap((section) => {
      const [title = ''] = section.split('\n');
      const names = /^Alarms?: (.+)$/m.exec(section)?.[1] ?? '';
      return [...names.matchAll(/`(\w+)`/g)].map(([, name]) => `${name} ${anchorOf(title)}`);
    });
    const linked = alarms.map(({ id, properties }) => `${id} ${/#([a-z-]+)$/.exec(properties.AlarmDescription)![1]}`);
    expect(listed.sort()).toEqual(linked.sort());
  });

  test('explains for each what it means, what to check and how to fix it', () => {
    for (const section of sections) {
      for (const part of ['**Means.** ', '**Check.** ', '**Fix.** ']) expect(section).toContain(part);
    }
  });
});
