import { priceOf } from '../../functions/wan/prices.ts';
import { regions } from '../../functions/wan/regions.ts';

/** List prices in USD of us-east-1, without free tiers and discounts, as of `pricesOf`. */
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
  busEvent: 1e-6,
  metricMonth: 0.3,
  alarmMonth: 0.1,
  dashboardMonth: 3,
  secretMonth: 0.4,
  keyMonth: 1,
} as const;
const pricesOf = '2025-12';

export interface Item {
  readonly what: string;
  /** Number of units. */
  readonly count: number;
  readonly unit: string;
  readonly price: number;
}

/** Seconds of a task, and ticks of the watcher during a task that runs alone. */
const taskSeconds = 120;
const ticks = taskSeconds / 1.5;
/** Seconds until an idle watcher ends. */
const lingerSeconds = 10;
/** Status requests of a client that follows `Retry-After` or long-polls. */
const statusRequests = 8;
/** Size of an MP4 of 5 s in 720P, with its image. */
const megabytes = 5;

/**
 * Resources of one video. Calls are counted in a run of the local stack, whose functions and state machine are the deployed
 * ones. A record of 3 to 4 KB takes 4 write units, and 4 more in the index by owner.
 */
export const perVideo: readonly Item[] = [
  {
    what: 'API requests: one submission and 8 status requests',
    count: 1 + statusRequests,
    unit: 'requests',
    price: prices.apiRequest,
  },
  {
    what: 'Lambda: submit, create-task (3 s, most of it waiting for Wan), one check, archive (5 s at 512 MB), status requests',
    count: 0.3 + 3 * 0.5 + 0.3 * 0.25 + 5 * 0.5 + statusRequests * (0.1 * 0.5 + 0.05 * 0.25),
    unit: 'GB-s',
    price: prices.lambdaGigabyteSecond,
  },
  {
    what: 'Lambda: the watcher at 128 MB, for a single video; concurrent videos share it',
    count: (taskSeconds + lingerSeconds) * 0.125,
    unit: 'GB-s',
    price: prices.lambdaGigabyteSecond,
  },
  {
    what: 'Lambda invocations',
    count: 2 + 3 + 1 + 1 + 2 * statusRequests,
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
    what: 'DynamoDB writes: 12 of the record, 21 of small items, 8 to wait, one for each tick of the watcher and every 4 s for its lease, 3 for each status request',
    count: 12 * 9 + 21 + 8 + ticks + taskSeconds / 4 + 3 * statusRequests,
    unit: 'write units',
    price: prices.writeUnit,
  },
  {
    what: 'DynamoDB reads: 35, 3 to check, one for each tick of the watcher, 3 for each status request',
    count: 35 + 3 + ticks + 3 * statusRequests,
    unit: 'read units',
    price: prices.readUnit,
  },
  { what: 'EventBridge: status changes', count: 5, unit: 'events', price: prices.busEvent },
  { what: 'S3: image, MP4, metadata', count: 3, unit: 'puts', price: prices.objectPut },
  { what: 'S3: verification of the file, image for Wan', count: 8, unit: 'gets', price: prices.objectGet },
  { what: 'Logs', count: 0.00004, unit: 'GB', price: prices.logGigabyte },
  { what: 'Storage for a month', count: megabytes / 1024, unit: 'GB', price: prices.storedGigabyteMonth },
];

/** Additional resources of an event that is delivered to a webhook at the first attempt. A delivery of 1 to 2 KB takes 2 write units. */
export const perWebhook: readonly Item[] = [
  {
    what: 'SQS: the event, and its receipt and deletion, alone in its batch',
    count: 3,
    unit: 'requests',
    price: prices.queueRequest,
  },
  {
    what: 'Lambda: deliver, 0.2 s at 1024 MB, alone in its batch',
    count: 0.2 * 1,
    unit: 'GB-s',
    price: prices.lambdaGigabyteSecond,
  },
  { what: 'Lambda invocation', count: 1, unit: 'invocations', price: prices.lambdaRequest },
  {
    what: 'DynamoDB writes: the delivery, its claim and its end, each with the index, and the highest delivered event',
    count: 3 * (2 + 2) + 1,
    unit: 'write units',
    price: prices.writeUnit,
  },
  {
    what: "DynamoDB reads: the delivery, what was published, the owner's webhook, the receiver",
    count: 5,
    unit: 'read units',
    price: prices.readUnit,
  },
  { what: 'Logs', count: 0.000001, unit: 'GB', price: prices.logGigabyte },
];

/** A watcher each minute without waiting tasks: 0.2 s at 128 MB, one query, a few log lines. */
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

/** Monthly cost of a deployment without videos. */
export const perMonth: readonly Item[] = [
  { what: 'Secrets', count: 3, unit: 'secrets', price: prices.secretMonth },
  { what: "The alarms' key", count: 1, unit: 'key', price: prices.keyMonth },
  { what: 'Alarms, by the metrics that they read', count: 33, unit: 'metrics', price: prices.alarmMonth },
  { what: 'Metrics that are published without videos', count: 3, unit: 'metrics', price: prices.metricMonth },
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
    what: 'Polls of the queues of waiting drops and of both queues of webhooks: five concurrent ones each, 20 s each',
    count: (3 * 5 * 30 * 86_400) / 20,
    unit: 'requests',
    price: prices.queueRequest,
  },
  {
    what: 'Their reads: model queue and queued videos of six models',
    count: 43_200 * 6 + 8640 * 20,
    unit: 'read units',
    price: prices.readUnit,
  },
  ...idleWatcher,
];

/** Additional metrics by model, code and reason in a busy month. */
const busyMetrics: Item = {
  what: 'Metrics by model, code and reason',
  count: 40,
  unit: 'metrics',
  price: prices.metricMonth,
};

const sum = (items: readonly Item[]): number => items.reduce((total, { count, price }) => total + count * price, 0);

export const webhookCost = (): number => sum(perWebhook);
export const videoCost = (): number => sum(perVideo);
export const monthCost = (videos: number): number =>
  sum(perMonth) + (videos > 0 ? sum([busyMetrics]) : 0) + videos * videoCost();

const dollars = (amount: number): string =>
  amount >= 100
    ? `$${Math.round(amount).toLocaleString('en-US')}`
    : amount >= 0.1
      ? `$${amount.toFixed(2)}`
      : `$${amount.toPrecision(2)}`;

/** Formats prices below a thousandth of a dollar per million. */
const unitPrice = (price: number): string =>
  price < 0.001
    ? `$${(price * 1e6).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 4 })} per million`
    : `$${price}`;

const table = (items: readonly Item[]): string =>
  [
    '| | amount | unit price | |',
    '|---|---|---|---|',
    ...items.map(
      ({ what, count, unit, price }) =>
        `| ${what} | ${count.toLocaleString('en-US', { maximumSignificantDigits: 3 })} ${unit} | ${unitPrice(price)} | ${dollars(count * price)} |`,
    ),
    `| **Total** | | | **${dollars(sum(items))}** |`,
  ].join('\n');

const wanExamples = [
  ['wan2.2-i2v-flash', '480P', 5],
  ['wan2.2-i2v-flash', '720P', 5],
  ['wan2.5-i2v-preview', '720P', 5],
  ['wan2.6-i2v', '1080P', 10],
] as const;

const singapore = { region: 'singapore', base_url: regions.singapore.base_url, prices: {} } as const;

/** Returns the page as Markdown. */
export function costPage(): string {
  const wan = wanExamples.map(([model, resolution, seconds]) => {
    const { amount } = priceOf(model, resolution, seconds, singapore)!;
    return `| ${model}, ${resolution}, ${seconds} s | ${dollars(amount)} | ${dollars(videoCost())} | ${((videoCost() / amount) * 100).toFixed(1)} % |`;
  });
  const [thousand, million] = [monthCost(1000), monthCost(1_000_000)];
  return `# Cost

Generated by \`npm run docs\` from the counts and prices in \`infra/operations/cost.ts\`; no price comes from a real bill. AWS prices are list prices in USD for us-east-1
(${pricesOf}), without free tiers; Wan's prices are those of the catalogue for Singapore. Put your own prices into that file.
Not counted: X-Ray traces ($5 per million, about ten per video), the image's way to Wan, and long polls, which keep a function busy for as long as they wait.
Each of the first two yearly rotations of the alarm topic's key adds $1 per month.

## Per video

${table(perVideo)}

Compared with Wan's price:

| video | Wan | AWS | |
|---|---|---|---|
${wan.join('\n')}

A download costs data transfer: ${megabytes} MB at $0.09 per GB are $${((megabytes / 1024) * 0.09).toPrecision(2)}.

## Per webhook

In addition, for each event that a webhook gets: one per video with the default \`webhook_events\`, about five with \`all\`.

${table(perWebhook)}

A failed attempt costs about the same again; a receiver that is down for 24 hours about 15 attempts per event. EventBridge delivers to the queue free of
charge, and to rules of your own at the price of their targets.

## Per month

Without videos:

${table(perMonth)}

| videos per month | AWS | AWS per video | Wan (480P of wan2.2-i2v-flash, 5 s) |
|---|---|---|---|
| 1,000 | ${dollars(thousand)} | ${dollars(thousand / 1000)} | ${dollars(1000 * 0.075)} |
| 1,000,000 | ${dollars(million)} | ${dollars(million / 1e6)} | ${dollars(1e6 * 0.075)} |

A busy month has about ${busyMetrics.count} additional metrics (${dollars(sum([busyMetrics]))}, included). Videos stay until they are deleted: a million are ${Math.round((megabytes * 1e6) / 1024 / 1024).toLocaleString('en-US')} TB, ${dollars(((megabytes * 1e6) / 1024) * prices.storedGigabyteMonth)} per
month. At the documented limits Wan makes about ${Math.round((5 / 120) * 30 * 86_400).toLocaleString('en-US')} videos per month and model (five concurrent tasks, two minutes each), so a million needs higher quotas.
`;
}
