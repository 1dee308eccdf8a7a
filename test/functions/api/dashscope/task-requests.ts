import { beforeEach, expect } from 'vitest';
import type { Table } from '../../../../functions/video/table.ts';
import { startTable } from '../../../support/table.ts';
import type { ApiResponse } from '../support.ts';
import { aDashscope } from './support.ts';

export const submit = 'services/aigc/video-generation/video-synthesis';
export const asynchronous = { 'X-DashScope-Async': 'enable', 'Content-Type': 'application/json' };

/** The start of each test: the submit time of the reference's own example, 2025-09-25 11:07:28.590 in UTC+8. */
const start = Date.parse('2025-09-25T03:07:28.590Z');

/** A valid request body. */
export const body = (overrides: { model?: string; input?: object; parameters?: object } = {}) => ({
  model: overrides.model ?? 'wan2.2-i2v-plus',
  input: { prompt: 'A cat runs', img_url: 'https://example.com/cat.png', ...overrides.input },
  ...(overrides.parameters ? { parameters: overrides.parameters } : {}),
});

interface PostOptions {
  headers?: Record<string, string>;
  owner?: string;
  path?: string;
}

/** New routes for each test over one table per file, with the requests of a client. */
export function taskRequests() {
  let now = start;
  const store = startTable(() => now);
  let dashscope: ReturnType<typeof aDashscope>;
  beforeEach(() => {
    now = start;
    dashscope = aDashscope(store.table);
  });

  const post = (sent: unknown, { headers, owner = 'alice', path = submit }: PostOptions = {}): Promise<ApiResponse> =>
    dashscope.call({ method: 'POST', path, body: sent, owner, headers: { ...asynchronous, ...headers } });
  return {
    table: (): Table => store.table,
    dashscope: () => dashscope,
    /** Replaces the services for the rest of the test. */
    use(...args: Parameters<typeof aDashscope>) {
      dashscope = aDashscope(...args);
      return dashscope;
    },
    turnTo(time: string) {
      now = Date.parse(time);
    },
    turn(milliseconds: number) {
      now += milliseconds;
    },
    post,
    async create(sent = body(), options: PostOptions = {}): Promise<string> {
      const { status, body: response } = await post(sent, options);
      expect([status, response]).toEqual([200, expect.anything()]);
      return response.output.task_id;
    },
    query: async (id: string, owner = 'alice') => (await dashscope.call({ path: `tasks/${id}`, owner })).body,
    cancel: (id: string, owner = 'alice') =>
      dashscope.call({ method: 'POST', path: `tasks/${id}/cancel`, owner, headers: { 'content-length': '0' } }),
  };
}
