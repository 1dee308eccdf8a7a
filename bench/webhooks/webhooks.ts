import { prices } from '../../infra/operations/cost.ts';
import { type Bound, checkBounds, formatNumber, startTable } from '../bounds.ts';
import { describeLatency } from '../simulation/latency.ts';
import { type Receiver, receivers } from './receivers.ts';
import { runSingleQueue } from './run-single-queue.ts';
import { assumptions, runWebhooks, type WebhookOptions, type WebhookResult } from './run-webhooks.ts';

const EVENTS_PER_SECOND = 50;
const SECONDS = 120;
/** How long after the last event the dead receiver is repaired. */
const DEAD_SECONDS = 900;
const DRAIN_SECONDS = 6 * 3600;
/** Executions with which the alternative keeps up with 50 events a second: two thirds of its deliveries take eight or ten seconds. */
const MANY_EXECUTIONS = 50;

type Delays = Pick<WebhookResult, 'delays' | 'published'>;

/** Returns the delay in seconds that a share of the events does not exceed. An event that was never received has an infinite one. */
function percentile({ delays, published }: Delays, receiver: Receiver, share: number): number {
  const position = Math.max(0, Math.ceil(published[receiver] * share) - 1);
  return (delays[receiver][position] ?? Number.POSITIVE_INFINITY) / 1000;
}

/** Returns the most attempts to a dead receiver: two batches in each queue before it is paused, then one per pause of 1, 2, 4, 8 and 15 minutes. */
function attemptsOfPauses(seconds: number): number {
  let [attempts, passed] = [4 * 10, 0];
  for (let pause = 60; passed < seconds; pause = Math.min(900, pause * 2)) {
    attempts += 1;
    passed += pause;
  }
  return attempts;
}

export function boundsOf(result: WebhookResult, options: WebhookOptions): Bound[] {
  const lost = (receiver: Receiver) => result.published[receiver] - result.delays[receiver].length;
  return [
    { name: 'p95 delay of the live receiver, s', value: percentile(result, 'live', 0.95), max: 5 },
    { name: 'events that the live receiver did not get', value: lost('live'), max: 0 },
    { name: 'events that the slow receiver did not get', value: lost('slow'), max: 0 },
    { name: 'events that the dead receiver did not get after its repair', value: lost('dead'), max: 0 },
    {
      name: 'attempts to the dead receiver before its repair',
      value: result.attempts_while_dead,
      max: attemptsOfPauses(options.seconds + options.dead_seconds),
    },
    { name: 'longest run of the minute job, s of its 60', value: result.job.seconds, max: 60 },
    { name: 'errors', value: result.unhandledErrors.length, max: 0 },
  ];
}

/** `npm run bench -- webhooks`: one dead, one slow and one live receiver. @returns whether every bound holds */
export async function webhooks({ seed = 1, seconds = SECONDS } = {}): Promise<boolean> {
  const options: WebhookOptions = {
    seed,
    events_per_second: EVENTS_PER_SECOND,
    seconds,
    dead_seconds: DEAD_SECONDS,
    drain_seconds: DRAIN_SECONDS,
  };
  console.log(
    `Webhooks: ${EVENTS_PER_SECOND} events a second for ${seconds} s, in equal parts to a live receiver (50 ms), a slow one (8 s) and a dead one, which`,
  );
  console.log(
    `does not answer within 10 s until ${DEAD_SECONDS / 60} minutes after the last event. Seed ${seed}. A simulation on a virtual clock with the functions' code.`,
  );
  console.log(`Assumed: ${describeLatency()}`);
  console.log(`  ${assumptions}\n`);
  const print = startTable(52, [
    '',
    'receiver',
    'median s',
    '   p95 s',
    '   max s',
    'received',
    'attempts',
    'repeated',
  ]);
  const rows = (name: string, result: Delays & Pick<WebhookResult, 'attempts' | 'repeated'>) => {
    for (const [index, receiver] of receivers.entries())
      print([
        index === 0 ? name : '',
        receiver,
        ...[0.5, 0.95, 1].map((share) => formatSeconds(percentile(result, receiver, share))),
        `${formatNumber((100 * result.delays[receiver].length) / result.published[receiver])} %`,
        String(result.attempts[receiver]),
        String(result.repeated[receiver]),
      ]);
  };
  const ours = await runWebhooks(options);
  rows('two queues of 2 executions, pauses, times in the table', ours);
  rows('one queue of 2 executions, visibility timeout', await runSingleQueue(options));
  rows(
    `one queue of ${MANY_EXECUTIONS} executions, visibility timeout`,
    await runSingleQueue({ ...options, maximumConcurrency: MANY_EXECUTIONS }),
  );

  const events = receivers.reduce((sum, receiver) => sum + ours.published[receiver], 0);
  const units = Object.keys(prices) as (keyof typeof prices)[];
  const cost = units.reduce((sum, unit) => sum + (ours.counts[unit] ?? 0) * prices[unit], 0);
  const perEvent = (amount = 0) => formatNumber(amount / events);
  console.log(
    `\nPer event: ${perEvent(ours.messages)} messages, ${perEvent(ours.counts.writeUnit)} write units, ${perEvent(ours.counts.readUnit)} read units. $${((1000 * cost) / events).toFixed(3)} per 1,000 events, the minute job included.`,
  );
  console.log(
    `Attempts to the dead receiver before its repair: ${ours.attempts_while_dead}. Longest queue: ${ours.longest_queue} messages. Most messages during a run of the minute job: ${ours.job.enqueued}.`,
  );
  console.log(
    ours.drained_seconds === undefined
      ? `Not drained ${DRAIN_SECONDS / 3600} hours after the last event.`
      : `Drained ${formatSeconds(ours.drained_seconds)} s after the last event.`,
  );
  for (const error of ours.unhandledErrors.slice(0, 5)) console.log(`Error: ${String(error)}`);
  return checkBounds(boundsOf(ours, options));
}

const formatSeconds = (seconds: number): string => (Number.isFinite(seconds) ? seconds.toFixed(1) : 'never');
