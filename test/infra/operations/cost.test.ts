import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import {
  idleWatcher,
  monthCost,
  perMonth,
  perVideo,
  perWebhook,
  videoCost,
  webhookCost,
} from '../../../infra/operations/cost.ts';
import { resourcesOf, synthesizeStandIns } from '../support.ts';

test('the cost of a month is a fixed part plus its videos', () => {
  const each = (monthCost(2000) - monthCost(1000)) / 1000;
  expect(each).toBeCloseTo(videoCost(), 10);
  expect(monthCost(0)).toBeCloseTo(
    perMonth.reduce((sum, { count, price }) => sum + count * price, 0),
    10,
  );
  for (const { what, count, price } of [...perVideo, ...perWebhook, ...perMonth])
    expect(count * price, what).toBeGreaterThan(0);
});

test('an idle watcher costs at most 5 cents a month', () => {
  expect(idleWatcher.reduce((sum, { count, price }) => sum + count * price, 0)).toBeLessThanOrEqual(0.05);
});

test('a webhook costs less than a tenth of its video', () => {
  expect(webhookCost()).toBeLessThan(videoCost() / 10);
});

test('polls each queue that invokes a function', async () => {
  const { template } = await synthesizeStandIns();
  const pollsPerMonth = (5 * 30 * 86_400) / 20;
  const mappings = resourcesOf(template, 'AWS::Lambda::EventSourceMapping').length;
  expect(perMonth.find(({ what }) => what.startsWith('Polls of'))!.count).toBe(mappings * pollsPerMonth);
});

test('counts the metrics of the alarms and the secrets of the template', async () => {
  const { template } = await synthesizeStandIns();
  const counted = (what: string) => perMonth.find((item) => item.what === what)!.count;
  const metrics = resourcesOf(template, 'AWS::CloudWatch::Alarm').map(
    ({ properties: { Metrics } }) => Metrics?.filter((one: object) => 'MetricStat' in one).length ?? 1,
  );
  expect(counted('Alarms, by the metrics that they read')).toBe(metrics.reduce((sum, count) => sum + count));
  expect(counted('Secrets')).toBe(resourcesOf(template, 'AWS::SecretsManager::Secret').length);
});

test('the README and the guide to deployment name the cost of an idle deployment', async () => {
  for (const file of ['README.md', 'docs/deploy.md']) {
    const figure = (await readFile(file, 'utf8')).match(/costs about \$(\d+) a month/)?.[1];
    expect(Number(figure), file).toBe(Math.round(monthCost(0)));
  }
});

test('the guide to deployment counts what a deployment creates', async () => {
  const { template } = await synthesizeStandIns();
  const count = (type: string) => resourcesOf(template, type).length;
  const all = Object.keys(template.Resources).length;
  const guide = (await readFile('docs/deploy.md', 'utf8')).replaceAll('\n', ' ');
  expect(guide).toContain(`About ${Math.round(all / 10) * 10} resources in one stack`);
  expect(guide).toContain(`${count('AWS::Lambda::Function')} Lambda functions`);
  const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
  expect(guide).toContain(`${words[count('AWS::S3::Bucket')]} buckets`);
  expect(guide).toContain(`${words[count('AWS::SecretsManager::Secret')]} secrets`);
  expect(guide).toContain(`${words[count('AWS::SQS::Queue')]} queues`);
});
