import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { priceOf } from '../../functions/wan/prices.ts';
import { projectRoot } from '../synth/bundle.ts';

export const costFile = join(projectRoot, 'docs', 'cost.md');

/** List prices in USD of us-east-1, without free tiers and discounts. They change: the page says of when they are. */
export const prices = {
  lambdaGigabyteSecond: 0.0000133334,
  lambdaRequest: 0.2e-6,
  stateTransition: 0.025e-3,
  writeUnit: 0.625e-6,
  readUnit: 0.125e-6,
  apiRequest: 3.5e-6,
  objectPut: 0.005e-3,
  objectGet: 0.0004e-3,
  storedGigabyteMonth: 0.023,
  logGigabyte: 0.5,
  secretRead: 0.05e-4,
  queueRequest: 0.4e-6,
  metricMonth: 0.3,
  alarmMonth: 0.1,
  dashboardMonth: 3,
  secretMonth: 0.4,
  keyMonth: 1,
} as const;
const pricesOf = '2025-12';

export interface Item {
  readonly what: string;
  /** How many of the priced unit. */
  readonly count: number;
  readonly unit: string;
  readonly price: number;
}

/** How long a task runs, in seconds, and how often the watcher looks meanwhile when no other task shares its time. */
const taskSeconds = 120;
const ticks = taskSeconds / 1.5;
/** Until the watcher that waited for the last task ends. */
const lingerSeconds = 10;
/** Questions of a client that follows `Retry-After` or long-polls. */
const questions = 8;
/** Of an MP4 of 5 s in 720P, with its picture. */
const megabytes = 5;

/**
 * What one video takes. Calls are counted in a run of the local stack, whose functions and state machine are the deployed ones;
 * a record of 3 to 4 KB is 4 write units, and as many in the index by owner.
 */
export const perVideo: readonly Item[] = [
  {
    what: 'API requests: the submission and its follow-up',
    count: 1 + questions,
    unit: 'requests',
    price: prices.apiRequest,
  },
  {
    what: 'Lambda: submit, create-task (3 s, most of it waiting for Wan), one check, archive (5 s at 512 MB), questions',
    count: 0.3 + 3 * 0.5 + 0.3 * 0.25 + 5 * 0.5 + questions * (0.1 * 0.5 + 0.05 * 0.25),
    unit: 'GB-s',
    price: prices.lambdaGigabyteSecond,
  },
  {
    what: 'Lambda: the watcher at 128 MB, for a video that has it to itself; all videos at once share it',
    count: (taskSeconds + lingerSeconds) * 0.125,
    unit: 'GB-s',
    price: prices.lambdaGigabyteSecond,
  },
  {
    what: 'Lambda invocations',
    count: 2 + 3 + 1 + 1 + 2 * questions,
    unit: 'invocations',
    price: prices.lambdaRequest,
  },
  {
    what: 'Step Functions: create, wait, check, archive',
    count: 7,
    unit: 'transitions',
    price: prices.stateTransition,
  },
  {
    what: 'DynamoDB writes: 12 of the record, 15 of small items, 8 to wait, 2 for each tick of the watcher',
    count: 12 * 9 + 15 + 8 + 2 * ticks,
    unit: 'write units',
    price: prices.writeUnit,
  },
  {
    what: 'DynamoDB reads: 30, 3 to check, one for each tick of the watcher, 2 for each question',
    count: 30 + 3 + ticks + 2 * questions,
    unit: 'read units',
    price: prices.readUnit,
  },
  { what: 'S3: picture, MP4, metadata', count: 3, unit: 'puts', price: prices.objectPut },
  { what: 'S3: proving the file, handing the picture to Wan', count: 8, unit: 'gets', price: prices.objectGet },
  { what: 'Logs', count: 0.00004, unit: 'GB', price: prices.logGigabyte },
  { what: 'Keeping it for a month', count: megabytes / 1024, unit: 'GB', price: prices.storedGigabyteMonth },
];

/** A watcher each minute that finds nothing waiting: 0.2 s at 128 MB, one query, a few lines of log. */
export const idleWatcher: readonly Item[] = [
  {
    what: 'Watcher each minute: 0.2 s at 128 MB',
    count: 43_200 * 0.2 * 0.125,
    unit: 'GB-s',
    price: prices.lambdaGigabyteSecond,
  },
  { what: 'Its invocations', count: 43_200, unit: 'invocations', price: prices.lambdaRequest },
  { what: 'Its queries', count: 43_200 / 2, unit: 'read units', price: prices.readUnit },
  { what: 'Its log', count: 43_200 * 1e-6, unit: 'GB', price: prices.logGigabyte },
];

/** What a deployment costs in a month that makes no video. */
export const perMonth: readonly Item[] = [
  { what: 'Secret', count: 1, unit: 'secret', price: prices.secretMonth },
  { what: "The alarms' key", count: 1, unit: 'key', price: prices.keyMonth },
  { what: 'Alarms', count: 20, unit: 'alarms', price: prices.alarmMonth },
  { what: 'Metrics that are told when nothing happens', count: 3, unit: 'metrics', price: prices.metricMonth },
  {
    what: 'Dashboard (the first three of an account are free)',
    count: 1,
    unit: 'dashboard',
    price: prices.dashboardMonth,
  },
  {
    what: 'Dispatch each minute, sweep each 5, canary each 15: 0.3 s at 256 MB',
    count: (43_200 + 8640 + 2880) * 0.3 * 0.25,
    unit: 'GB-s',
    price: prices.lambdaGigabyteSecond,
  },
  {
    what: 'Polls of the queue of drops that wait: five at once, each of 20 s',
    count: (5 * 30 * 86_400) / 20,
    unit: 'requests',
    price: prices.queueRequest,
  },
  {
    what: 'Their reads: a lane and its queue for each of six models',
    count: 43_200 * 6 + 8640 * 20,
    unit: 'read units',
    price: prices.readUnit,
  },
  ...idleWatcher,
];

/** Metrics by model, code and reason that a busy month may tell. */
const busyMetrics: Item = {
  what: 'Metrics by model, code and reason',
  count: 40,
  unit: 'metrics',
  price: prices.metricMonth,
};

const sum = (items: readonly Item[]): number => items.reduce((total, { count, price }) => total + count * price, 0);

export const videoCost = (): number => sum(perVideo);
export const monthCost = (videos: number): number =>
  sum(perMonth) + (videos > 0 ? sum([busyMetrics]) : 0) + videos * videoCost();

const dollars = (amount: number): string =>
  amount >= 100
    ? `$${Math.round(amount).toLocaleString('en-US')}`
    : amount >= 0.1
      ? `$${amount.toFixed(2)}`
      : `$${amount.toPrecision(2)}`;

/** What is priced in millionths reads better by the million. */
const unitPrice = (price: number): string =>
  price < 0.001
    ? `$${(price * 1e6).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 4 })} a million`
    : `$${price}`;

const table = (items: readonly Item[]): string =>
  [
    '| | how much | a unit | |',
    '|---|---|---|---|',
    ...items.map(
      ({ what, count, unit, price }) =>
        `| ${what} | ${count.toLocaleString('en-US', { maximumSignificantDigits: 3 })} ${unit} | ${unitPrice(price)} | ${dollars(count * price)} |`,
    ),
    `| **Together** | | | **${dollars(sum(items))}** |`,
  ].join('\n');

const wanExamples = [
  ['wan2.2-i2v-flash', '480P', 5],
  ['wan2.2-i2v-flash', '720P', 5],
  ['wan2.5-i2v-preview', '720P', 5],
  ['wan2.6-i2v', '1080P', 10],
] as const;

/** The page, as Markdown. */
export function costPage(): string {
  const wan = wanExamples.map(([model, resolution, seconds]) => {
    const { amount } = priceOf(model, resolution, seconds, 'singapore')!;
    return `| ${model}, ${resolution}, ${seconds} s | ${dollars(amount)} | ${dollars(videoCost())} | ${((videoCost() / amount) * 100).toFixed(1)} % |`;
  });
  const [thousand, million] = [monthCost(1000), monthCost(1_000_000)];
  return `# What it costs

Made by \`npm run cost\` from counts and prices in \`infra/operations/cost.ts\`. AWS's are list prices in USD for us-east-1 (${pricesOf}), without free tiers;
Wan's are those of the catalogue, for Singapore. Put your own into that file: the arithmetic stays.

## A video

${table(perVideo)}

Beside what Wan takes for it:

| video | Wan | AWS | |
|---|---|---|---|
${wan.join('\n')}

Who downloads a video pays for its way out of AWS: ${megabytes} MB at $0.09 a GB are $${((megabytes / 1024) * 0.09).toPrecision(2)}.

## A month

Without a single video:

${table(perMonth)}

| videos a month | AWS | of it for each video | Wan (480P of wan2.2-i2v-flash, 5 s) |
|---|---|---|---|
| 1,000 | ${dollars(thousand)} | ${dollars(thousand / 1000)} | ${dollars(1000 * 0.075)} |
| 1,000,000 | ${dollars(million)} | ${dollars(million / 1e6)} | ${dollars(1e6 * 0.075)} |

A busy month has about ${busyMetrics.count} metrics more (${dollars(sum([busyMetrics]))}, counted in). Videos stay until they are deleted: a million of them are ${Math.round((megabytes * 1e6) / 1024 / 1024).toLocaleString('en-US')} TB, ${dollars(((megabytes * 1e6) / 1024) * prices.storedGigabyteMonth)} for
each month that they are kept. At the documented limits Wan makes about ${Math.round((5 / 120) * 30 * 86_400).toLocaleString('en-US')} videos a month of a model (five at once, two minutes each), so a million takes raised quotas.
`;
}

if (process.argv[1] === import.meta.filename) await writeFile(costFile, costPage());
