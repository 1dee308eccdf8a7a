import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { startWan } from '../../local/wan/server.ts';
import type { VirtualClock } from './clock.ts';
import type { CallName, Latency } from './latency.ts';

/** A call to Wan with its response status. */
export interface WanCall {
  /** Milliseconds since 1970. */
  at: number;
  route: 'submit' | 'query' | 'list' | 'download' | 'other';
  status: number;
}

/** A task as stored by the emulator. */
export interface WanTask {
  task_id: string;
  /** Milliseconds since 1970. */
  submitted_at: number;
}

const routes: readonly [WanCall['route'], CallName, RegExp][] = [
  ['submit', 'wanSubmit', /^POST .*\/video-synthesis$/],
  ['list', 'wan', /^GET \/api\/v1\/tasks\/?(\?|$)/],
  ['query', 'wan', /^GET \/api\/v1\/tasks\//],
  ['download', 'wanDownload', /^GET \/dashscope-result\//],
];

/** Starts the emulator with its limits on, on the virtual clock. @param taskSeconds how long a task takes */
export async function simulateWan(
  { clock, latency }: { clock: VirtualClock; latency: Latency },
  { directory, taskSeconds }: { directory: string; taskSeconds: number },
) {
  const home = path.join(directory, 'wan');
  const wan = await startWan({ port: 0, directory: home, taskSeconds, limits: 'on', now: clock.now });
  const calls: WanCall[] = [];
  return {
    /** Ends in `/api/v1`. */
    url: wan.url,
    calls,
    async fetch(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
      const { pathname, search } = new URL(String(input));
      const request = `${init?.method ?? 'GET'} ${pathname}${search}`;
      const [route, call] = routes.find(([, , pattern]) => pattern.test(request)) ?? (['other', 'wan'] as const);
      return latency(call, async () => {
        const response = await fetch(input, init);
        calls.push({ at: clock.now(), route, status: response.status });
        // Buffers the body, so that reading it takes no more real time.
        return new Response(await response.arrayBuffer(), response);
      });
    },
    /** Returns every task that was created. */
    async tasks(): Promise<WanTask[]> {
      const files = await readdir(path.join(home, 'tasks'));
      return Promise.all(
        files.map(async (file) => JSON.parse(await readFile(path.join(home, 'tasks', file), 'utf8')) as WanTask),
      );
    },
    close: wan.close,
  };
}
