import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { stateEtag } from '../../../../functions/api/http/conditional-requests.ts';
import { reserveSpending } from '../../../../functions/ledger/spending.ts';
import { replaceWithTombstone } from '../../../../functions/video/deletion.ts';
import type { VideoRecord } from '../../../../functions/video/record.ts';
import { createVideo } from '../../../../functions/video/store.ts';
import type { Table } from '../../../../functions/video/table.ts';
import { startTable } from '../../../support/table.ts';
import { aTask, aVideo, firstFrame } from '../../../support/videos.ts';
import { anApi, anArchivedVideo, anOwner, aRequest } from '../support.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const store = startTable(() => now);

/** The API, and each call that it makes to the table, to S3 or to the clock. */
function aRecordingApi() {
  const calls: unknown[] = [];
  const client: Table['client'] = {
    send: ((command: { constructor: { name: string }; input: object }) => {
      calls.push([command.constructor.name, Object.keys(command.input), command.input]);
      return (store.table.client.send as (sent: unknown) => unknown)(command);
    }) as Table['client']['send'],
  };
  const record = (call: string) => async () => {
    calls.push(call);
    return call;
  };
  const api = anApi(
    { ...store.table, client },
    { linkTo: record('link'), sleep: async () => void calls.push('sleep') },
  );
  return { api, calls };
}

async function storeVideo(overrides: Partial<VideoRecord>): Promise<VideoRecord> {
  const video = aVideo({
    ...overrides,
    input: { prompt: 'x'.repeat(500), media: firstFrame('https://example.com/cat.png') },
  });
  await createVideo(store.table, video);
  return video;
}

const asJson = { accept: 'application/json' };
interface RequestCase {
  route: 'get' | 'content';
  query?: Record<string, string>;
  headersOf?: (video: VideoRecord) => Record<string, string>;
}
const requestCases: RequestCase[] = [
  { route: 'get' },
  { route: 'get', query: { wait: '25' } },
  { route: 'get', query: { wait: '26' } },
  { route: 'get', headersOf: () => ({ 'if-none-match': '*' }) },
  { route: 'get', query: { wait: '25' }, headersOf: (video) => ({ 'if-none-match': stateEtag(video) }) },
  { route: 'content' },
  { route: 'content', headersOf: () => asJson },
  { route: 'content', query: { variant: 'first_frame' } },
  { route: 'content', query: { variant: 'metadata' }, headersOf: () => asJson },
  { route: 'content', query: { variant: 'nothing' } },
];

test.each(requestCases)(
  "$route $query makes the same response and the same calls for another owner's video as for an unknown id",
  async ({ route, query = {}, headersOf = () => ({}) }) => {
    const [owner, caller] = [anOwner(), anOwner()];
    const running = await storeVideo({ owner, status: 'running', task: aTask({ expected_seconds: 60 }) });
    const succeeded = await storeVideo({ owner, status: 'succeeded', video: anArchivedVideo });
    const deleted = await storeVideo({ owner, status: 'failed' });
    const ownDeleted = await storeVideo({ owner: caller, status: 'failed' });
    for (const video of [deleted, ownDeleted]) await replaceWithTombstone(store.table, video);

    const responseAndCalls = async (id: string, headers: Record<string, string>) => {
      const { api, calls } = aRecordingApi();
      const response = await api[route](aRequest({ id, query, headers, owner: caller }));
      // Only the ids may differ.
      return JSON.stringify({ response, calls }).replaceAll(id, 'ID');
    };
    for (const video of [running, succeeded, deleted, ownDeleted]) {
      const headers = headersOf(video);
      expect(await responseAndCalls(video.id, headers)).toBe(await responseAndCalls(randomUUID(), headers));
    }
  },
);

test.each<Record<string, string>>([{}, { limit: '1' }, { status: 'running', limit: '3' }])(
  "a list with %j does not depend on another owner's videos",
  async (query) => {
    const [owner, caller] = [anOwner(), anOwner()];
    for (let count = 0; count < 3; count++) await storeVideo({ owner: caller, status: 'running' });
    const responseAndCalls = async () => {
      const { api, calls } = aRecordingApi();
      return { response: await api.list({ owner: caller, query }), calls };
    };
    const before = await responseAndCalls();
    for (let count = 0; count < 5; count++) await storeVideo({ owner, status: 'running' });
    expect(await responseAndCalls()).toEqual(before);
    expect(before.response.body.data.length).toBeGreaterThan(0);
  },
);

test("usage does not depend on another owner's spending", async () => {
  const [owner, caller] = [anOwner(), anOwner()];
  const responseAndCalls = async () => {
    const { api, calls } = aRecordingApi();
    return { response: await api.usage({ owner: caller }), calls };
  };
  const before = await responseAndCalls();
  const spending = aVideo({ owner, spending_month: '2026-01', estimated_cost: { ...aPrice, amount: 7 } });
  await reserveSpending(store.table, spending, undefined);
  expect((await aRecordingApi().api.usage({ owner })).body).toMatchObject({ reserved: 7 });
  expect(await responseAndCalls()).toEqual(before);
});

const aPrice = { amount: 1, currency: 'USD', unit_price: 0.1, seconds: 5, as_of: '2026-01-01' } as const;
