import type { VirtualClock } from './clock.ts';

/**
 * How long a call takes, in milliseconds: the middle of what these services usually need within one region, and for Wan of what is seen
 * over the public internet. None of them is measured here; what a bench shows should not hang on any one of them.
 */
export const milliseconds = {
  dynamoDb: 5,
  s3: 30,
  /** StartExecution and its like. */
  stepFunctions: 30,
  /** SendMessage. */
  sqs: 15,
  /** From the end of one state to the function of the next. */
  transition: 30,
  /** From a change in S3 to the function that a rule names. */
  eventBridge: 500,
  warmStart: 20,
  coldStart: 400,
  /** A question to Wan. */
  wan: 150,
  /** Wan checks and fetches the image during a submit. */
  wanSubmit: 500,
  wanDownload: 500,
} as const;

export type CallName = keyof typeof milliseconds;

/** Passes the time of a call around the real work of it: half on the way there, half on the way back. */
export type Latency = <Result>(call: CallName, work: () => Promise<Result>) => Promise<Result>;

/** @param random from 0 to 1: each call takes between half and one and a half of its usual time */
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

/** What the figures are, to be printed. */
export const describeLatency = (): string => {
  const figures = Object.entries(milliseconds).map(([name, value]) => `${name} ${value}`);
  return `${figures.slice(0, 5).join(', ')},\n  ${figures.slice(5).join(', ')} ms, each ± 50 %; Wait and Retry as in the template.`;
};
