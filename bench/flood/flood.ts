import { checkBounds, formatNumber, startTable } from '../bounds.ts';
import { describeLatency } from '../simulation/latency.ts';
import { type FloodOptions, type FloodResult, runFlood } from './run-flood.ts';

const SECONDS = 30;
const LONG_POLLS = 500;
/** Of a new account, whose ten executions more clients would use up even if none waited. */
const FEW_LONG_POLLS = 50;
/** As fast as they get responses. */
const CONNECTIONS = 8;

/** Without limits per owner, and with the throttle of the stage that used to be the only limit. */
const limitsOff = {
  apiThrottle: { rate: 50, burst: 100 },
  ownerThrottle: { rate: 1000, burst: 10_000 },
  longPolls: { perOwner: 1000, total: 10_000 },
};
const defaults = { apiThrottle: { rate: 500, burst: 1000 } };
/** As docs/deploy.md recommends for a new account, except for the throttle. */
const newAccount = { ...defaults, longPolls: { perOwner: 2, total: 3 } };

const percentile = ({ latencies }: FloodResult, share: number): number => {
  const sorted = [...latencies].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.POSITIVE_INFINITY;
};

/** `npm run bench -- flood`: one owner's flood, as another owner sees it. @returns whether every bound holds */
export async function flood({ seed = 1, seconds = SECONDS } = {}): Promise<boolean> {
  console.log(
    `Flood: one key holds ${LONG_POLLS} long polls, repeated after Retry-After, and sends GET /models over ${CONNECTIONS} connections, each as`,
  );
  console.log(
    `fast as it gets responses, for ${seconds} s. Seed ${seed}. A simulation on a virtual clock with the functions' code, the`,
  );
  console.log("stage's throttle and the account's concurrency. The other owner sends about six requests per second.");
  console.log(`Assumed: ${describeLatency()}\n`);
  const print = startTable(44, [
    'the other owner',
    'p50 ms',
    'p99 ms',
    'failed, %',
    'waiting',
    'flood/s',
    'accepted/s',
    'refused steps of the workflow',
  ]);
  const run = async (name: string, options: Omit<FloodOptions, 'seed' | 'seconds'>): Promise<FloodResult> => {
    const result = await runFlood({ seed, seconds, ...options });
    print([
      name,
      formatNumber(percentile(result, 0.5)),
      formatNumber(percentile(result, 0.99)),
      formatNumber((100 * result.failed) / result.requests),
      String(result.waiting),
      formatNumber(result.flood_rate),
      formatNumber(result.accepted_rate),
      String(result.refused_steps),
    ]);
    return result;
  };
  const usual = { concurrency: 1000, spread: 0 };
  const none = { long_polls: 0, connections: 0 };
  const both = { long_polls: LONG_POLLS, connections: CONNECTIONS };
  const quiet = await run('quiet', { ...usual, ...none, context: defaults });
  const flooded = await run('flood, defaults', { ...usual, ...both, context: defaults });
  const before = await run('flood, limits off', { ...usual, ...both, context: limitsOff });
  console.log(
    `\nA new account, with 10 concurrent executions, and ${FEW_LONG_POLLS} long polls that start within ten seconds`,
  );
  const small = { concurrency: 10, spread: 10, long_polls: FEW_LONG_POLLS, connections: 0 };
  const quietSmall = await run('quiet', { ...small, ...none, context: newAccount });
  const floodedSmall = await run('long polls, longPolls = 3 in all, 2 per owner', { ...small, context: newAccount });
  await run('long polls, limits off', { ...small, context: limitsOff });
  return checkBounds([
    {
      name: 'p99 of the other owner under the flood, ms',
      value: percentile(flooded, 0.99),
      max: 2 * percentile(quiet, 0.99),
    },
    { name: 'failed requests of the other owner', value: flooded.failed, max: 0 },
    { name: 'refused steps of the workflow', value: flooded.refused_steps, max: 0 },
    { name: 'long polls of the flood that wait', value: flooded.waiting, max: 10 },
    {
      name: 'p99 of the other owner on a new account, ms',
      value: percentile(floodedSmall, 0.99),
      max: 2 * percentile(quietSmall, 0.99),
    },
    { name: 'failed requests of the other owner on a new account', value: floodedSmall.failed, max: 0 },
    { name: 'refused steps of the workflow on a new account', value: floodedSmall.refused_steps, max: 0 },
    {
      name: 'the bench shows a difference: successful requests without limits',
      value: before.latencies.length,
      max: before.requests - 1,
    },
  ]);
}
