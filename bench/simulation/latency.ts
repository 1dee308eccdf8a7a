import type { VirtualClock } from './clock.ts';

/**
 * The latency of calls in milliseconds: typical medians of these services within one region, and of Wan over the public internet.
 * They are not measured here, and the result of a bench should not depend on any single one.
 */
export const milliseconds = {
  dynamoDb: 5,
  s3: 30,
  /** StartExecution and similar calls. */
  stepFunctions: 30,
  /** SendMessage. */
  sqs: 15,
  /** From the end of one state to the function of the next. */
  transition: 30,
  /** PutEvents. */
  putEvents: 15,
  /** From a change in S3 to the target function of a rule. */
  eventBridge: 500,
  warmStart: 20,
  coldStart: 400,
  /** A query. */
  wan: 150,
  /** A submission, during which Wan fetches and checks the image. */
  wanSubmit: 500,
  wanDownload: 500,
} as const;

export type CallName = keyof typeof milliseconds;

/** Adds the latency of a call to its real work: half before it, half after it. */
export type Latency = <Result>(call: CallName, work: () => Promise<Result>) => Promise<Result>;

/** @param random a number from 0 to 1: a call takes between half and one and a half times its latency */
export const createLatency =
  (clock: VirtualClock, random: () => number): Latency =>
  async (call, work) => {
    const half = (milliseconds[call] * (0.5 + random())) / 2;
    await clock.sleep(half);
    const result = await clock.hold(work).catch(async (error: unknown) => {
      await clock.sleep(half);
      throw error;
    });
    await clock.sleep(half);
    return result;
  };

/** Formats the latencies for output. */
export const describeLatency = (): string => {
  const latencies = Object.entries(milliseconds).map(([name, value]) => `${name} ${value}`);
  return `${latencies.slice(0, 5).join(', ')},\n  ${latencies.slice(5).join(', ')} ms, each ± 50 %; Wait and Retry as in the template.`;
};
