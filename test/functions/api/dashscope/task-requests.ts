import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { Table } from '../../../../functions/video/table.ts';
import { startTable } from '../../../support/table.ts';
import type { Answer } from '../support.ts';
import { aDashscope } from './support.ts';

export const submit = 'services/aigc/video-generation/video-synthesis';
export const asynchronous = { 'X-DashScope-Async': 'enable', 'Content-Type': 'application/json' };

/** When each test begins: the submit time of the reference's own example, 2025-09-25 11:07:28.590 in UTC+8. */
const start = Date.parse('2025-09-25T03:07:28.590Z');

/** A body that the model takes. */
export const body = (given: { model?: string; input?: object; parameters?: object } = {}) => ({
  model: given.model ?? 'wan2.2-i2v-plus',
  input: { prompt: 'A cat runs', img_url: 'https://example.com/cat.png', ...given.input },
  ...(given.parameters ? { parameters: given.parameters } : {}),
});

interface More {
  headers?: Record<string, string>;
  owner?: string;
  path?: string;
}

/** The routes over one table for all tests of a file, anew for each, and what a client asks of them. */
export function taskRequests() {
  let now = start;
  let store: Awaited<ReturnType<typeof startTable>>;
  let dashscope: ReturnType<typeof aDashscope>;
  beforeAll(async () => {
    store = await startTable(() => now);
  });
  beforeEach(() => {
    now = start;
    dashscope = aDashscope(store.table);
  });
  afterAll(() => store.close());

  const post = (given: unknown, { headers, owner = 'alice', path = submit }: More = {}): Promise<Answer> =>
    dashscope.call({ method: 'POST', path, body: given, owner, headers: { ...asynchronous, ...headers } });
  return {
    table: (): Table => store.table,
    dashscope: () => dashscope,
    /** Other services, for the rest of the test. */
    use(...given: Parameters<typeof aDashscope>) {
      dashscope = aDashscope(...given);
      return dashscope;
    },
    turnTo(time: string) {
      now = Date.parse(time);
    },
    turn(milliseconds: number) {
      now += milliseconds;
    },
    post,
    async create(given = body(), more: More = {}): Promise<string> {
      const { status, body: answer } = await post(given, more);
      expect([status, answer]).toEqual([200, expect.anything()]);
      return answer.output.task_id;
    },
    query: async (id: string, owner = 'alice') => (await dashscope.call({ path: `tasks/${id}`, owner })).body,
    cancel: (id: string, owner = 'alice') =>
      dashscope.call({ method: 'POST', path: `tasks/${id}/cancel`, owner, headers: { 'content-length': '0' } }),
  };
}
