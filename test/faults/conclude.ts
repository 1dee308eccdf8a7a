import { setTimeout as sleep } from 'node:timers/promises';
import { sign } from '../support/sign.ts';
import { judge, scheduledEvent } from './judge.ts';
import { readLastState } from './last-state.ts';
import { table } from './observer.ts';
import type { Stage } from './stage.ts';
import type { SubmittedVideo } from './wanted-videos.ts';
import { webhookTime } from './webhook-time.ts';

export const functionNames = {
  dispatch: 'firstframe-maintenance-dispatch',
  sweep: 'firstframe-maintenance-sweep',
  watch: 'firstframe-workflow-watch',
} as const;

/**
 * Runs the scheduled functions, at least once, until the state has no issues.
 * @returns the remaining issues after the timeout
 * @throws Error when a scheduled function fails, without faults
 */
export async function conclude(
  stage: Stage,
  submitted: readonly SubmittedVideo[],
  timeoutSeconds: number,
): Promise<string[]> {
  const passWebhookTime = webhookTime(() => stage.addresses().aws_url, stage.receiver.url);
  const end = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    await Promise.all([invoke(stage, 'sweep'), passWebhookTime().then(() => invoke(stage, 'dispatch'))]);
    const issues = await judge(await readLastState(stage, table), submitted);
    if (issues.length === 0 || Date.now() > end) return issues;
    await sleep(2000);
  }
}

/**
 * Invokes a scheduled function.
 * @param type `Event` does not wait for the result
 * @throws Error when the service or the function fails
 */
export async function invoke(
  { addresses }: Pick<Stage, 'addresses'>,
  name: keyof typeof functionNames,
  type: 'RequestResponse' | 'Event' = 'RequestResponse',
): Promise<void> {
  const { host, origin } = new URL(addresses().aws_url);
  const path = `/2015-03-31/functions/${functionNames[name]}/invocations`;
  const unsigned = { 'x-amz-invocation-type': type };
  const headers = await sign({ method: 'POST', path, host, body: scheduledEvent, service: 'lambda' });
  const answer = await fetch(`${origin}${path}`, {
    method: 'POST',
    headers: { ...headers, ...unsigned },
    body: scheduledEvent,
  });
  if (!answer.ok || answer.headers.has('x-amz-function-error'))
    throw new Error(`${name} answered ${answer.status}: ${await answer.text()}`);
}
