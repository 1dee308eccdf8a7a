import { setTimeout as sleep } from 'node:timers/promises';
import { sign } from '../support/sign.ts';
import type { AskedFor } from './campaign.ts';
import { judge } from './judge.ts';
import { readLastState } from './last-state.ts';
import type { Stage } from './stage.ts';

const table = 'firstframe-videos';
const sweepFunction = 'firstframe-upkeep-sweep';

/**
 * Lets the sweep run until all is as it must be.
 * @returns what still is not after the patience
 */
export async function conclude(stage: Stage, asked: readonly AskedFor[], patienceSeconds: number): Promise<string[]> {
  const end = Date.now() + patienceSeconds * 1000;
  for (;;) {
    const faults = await judge(await readLastState(stage, table), asked);
    if (faults.length === 0 || Date.now() > end) return faults;
    await invoke(stage, sweepFunction);
    await sleep(2000);
  }
}

/** As its schedule does. */
async function invoke({ addresses }: Stage, functionName: string): Promise<void> {
  const { host, origin } = new URL(addresses().aws_url);
  const path = `/2015-03-31/functions/${functionName}/invocations`;
  const headers = await sign({ method: 'POST', path, host, body: '{}', service: 'lambda' });
  const answer = await fetch(`${origin}${path}`, { method: 'POST', headers, body: '{}' });
  if (answer.status !== 200) throw new Error(`${functionName} answered ${answer.status}: ${await answer.text()}`);
}
