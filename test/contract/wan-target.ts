import { createWanClient, type WanClient } from '../../functions/wan/client/client.ts';
import type { Task } from '../../functions/wan/client/query-task.ts';
import { regions } from '../../functions/wan/regions.ts';
import { startWan, type Wan } from '../../local/wan/server.ts';
import { createClock, fetchOf, png, temporaryDirectory } from '../local/wan/support.ts';
import { createBudget } from './wan-budget.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the suite runs against the real service, which costs money. @throws Error for `WAN_LIVE=1` without a key */
export function isLive({ WAN_LIVE, DASHSCOPE_API_KEY }: Environment): boolean {
  if (WAN_LIVE === '1' && !DASHSCOPE_API_KEY) {
    throw new Error('WAN_LIVE=1 uses the real service, which needs a key. Set DASHSCOPE_API_KEY.');
  }
  return WAN_LIVE === '1';
}

export const imageUrl = 'https://images.example/cat.png';
export const tinyImageUrl = 'https://images.example/tiny.png';

/** A Wan service that the client is tested with. */
export interface Target {
  readonly client: WanClient;
  /** Returns a client with another key. */
  withKey(key: string): WanClient;
  now(): number;
  /** Origins of videos in addition to Wan's. */
  readonly videoOrigins: readonly string[];
  /** Queries until the task has ended. @returns also every status on the way */
  ended(taskId: string): Promise<{ task: Task; statuses: string[] }>;
}

export interface EmulatedTarget extends Target {
  readonly wan: Wan;
  advance(seconds: number): void;
}

const connect = (baseUrl: string, fetchIt: typeof fetch) => (key: string) =>
  createWanClient({ baseUrl, apiKey: async () => key, fetch: fetchIt });

/** Returns a client and an emulator with limits, in which tasks take 60 s of a clock that only the test advances. */
export async function openEmulator(): Promise<EmulatedTarget> {
  const clock = createClock();
  const directory = await temporaryDirectory();
  const files = fetchOf({ [imageUrl]: png(640, 480), [tinyImageUrl]: png(100, 100) });
  const { now } = clock;
  const wan = await startWan({ port: 0, directory, taskSeconds: 60, limits: 'on', now, fetch: files.fetch });
  const withKey = connect(wan.url, fetch);
  const client = withKey('sk-contract');
  const step = async () => clock.advance(0.5);
  const videoOrigins = [new URL(wan.url).origin];
  return {
    client,
    withKey,
    now,
    videoOrigins,
    wan,
    advance: clock.advance,
    ended: (taskId) => follow(client, taskId, step),
  };
}

/** Returns a client of the service at `WAN_BASE_URL` (default Singapore) that spends at most `WAN_LIVE_MAX_USD` (0.10). */
export function openService(environment: Environment): Target {
  const key = environment.DASHSCOPE_API_KEY ?? '';
  const baseUrl = environment.WAN_BASE_URL || regions.singapore.base_url;
  const region = /\/\/dashscope\.aliyuncs\.com|cn-beijing/.test(baseUrl) ? 'beijing' : 'singapore';
  const limit = Number(environment.WAN_LIVE_MAX_USD || '0.10');
  if (!(limit >= 0)) throw new Error('WAN_LIVE_MAX_USD must be a number of dollars.');
  const budget = createBudget({ key, region, limit, fetch });
  const withKey = connect(baseUrl, budget.fetch);
  const client = withKey(key);
  // The interval of the reference.
  const step = () => new Promise<void>((resolve) => setTimeout(resolve, 15_000));
  return { client, withKey, now: Date.now, videoOrigins: [], ended: (taskId) => follow(client, taskId, step) };
}

async function follow(client: WanClient, taskId: string, step: () => Promise<void>) {
  const statuses: string[] = [];
  for (;;) {
    const task = await client.queryTask(taskId);
    if (task.outcome !== 'task') throw new Error(`The query failed: ${JSON.stringify(task)}`);
    if (statuses.at(-1) !== task.status) statuses.push(task.status);
    if (!['PENDING', 'RUNNING'].includes(task.status)) return { task, statuses };
    await step();
  }
}
