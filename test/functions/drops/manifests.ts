import { randomUUID } from 'node:crypto';
import type { Logger } from '@aws-lambda-powertools/logger';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { ownerOf } from '../../../functions/drops/drop-key.ts';
import type { DroppedObject } from '../../../functions/drops/dropped-object.ts';
import { acceptManifest, type ManifestServices } from '../../../functions/drops/manifest.ts';
import { withStatusHook } from '../../../functions/entries/on-status-changed.ts';
import { idsInStatus } from '../../../functions/queue/waiting.ts';
import { listVideos } from '../../../functions/video/list.ts';
import type { Source, VideoRecord } from '../../../functions/video/record.ts';
import type { Table } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';
import { aDeployment } from '../../support/videos.ts';
import { versionedBuckets } from '../versioned-buckets.ts';
import { endAs, get, put } from './results.ts';

/** The result of a line. */
export interface LineResult {
  line: number;
  manifest: { key: string; version_id: string };
  id?: string;
  status: string;
  metadata?: Record<string, string>;
  video?: { key: string };
  error?: { code: string; message: string };
}

const url = 'https://example.com/cat.png';
/** The body of `POST /videos` on a line; another prompt makes it another line. */
export const body = (img_url: unknown = url, given: object = {}) => ({
  model: 'wan2.2-i2v-flash',
  input: { prompt: 'A cat runs', img_url },
  ...given,
});
export const asks = (prompt: string) => body(url, { input: { prompt, img_url: url } });

export const jsonl = (...lines: unknown[]) =>
  lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');

/** Manifests in a drop folder over a real table and S3. Each test has an owner and so a folder of its own. */
export function useManifests() {
  let store: Awaited<ReturnType<typeof startTable>>;
  let buckets: Awaited<ReturnType<typeof versionedBuckets>>;
  const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
  const errors: unknown[] = [];
  const world = {
    /** The table as the functions have it that end videos, and write their results. */
    table: undefined as unknown as Table,
    s3: undefined as unknown as S3Client,
    owner: '',
    folder: '',
    dispatched: [] as string[],
    clock,
    /** What went wrong with the results of videos that ended. */
    errors,
    keysBelow: (key: string): Promise<string[]> => buckets.keysBelow('uploads', key),
    watched: (table: Table, s3: Pick<S3Client, 'send'>): Table =>
      withStatusHook(
        table,
        {
          s3: s3 as S3Client,
          publish: async () => undefined,
          recordMetric: () => undefined,
          logger: { error: (_message: unknown, details: unknown) => errors.push(details) } as unknown as Logger,
        },
        { deleteLeftovers: async () => undefined },
      ),
    services: (given: Partial<ManifestServices> = {}): ManifestServices => ({
      table: world.table,
      s3: world.s3,
      trustedOrigins: [],
      uploadsBucket: 'uploads',
      deployment: aDeployment(),
      monthlySpendingLimit: undefined,
      dispatch: async ({ id }) => void world.dispatched.push(id),
      onDispatchError: () => expect.unreachable(),
      recordMetric: () => undefined,
      ownerOf: (key) => ownerOf(key, { owners: 'folders' }, { owner: 'drops' }),
      ...given,
    }),
    async upload(content: string | Uint8Array, at?: string): Promise<DroppedObject> {
      const key = at ?? `${world.folder}/manifest.jsonl`;
      const version_id = await put(world.s3, 'uploads', key, content);
      return { bucket: 'uploads', key, version_id, size: Buffer.byteLength(content) };
    },
    /** Uploads a manifest and accepts it. */
    async take(...lines: unknown[]): Promise<DroppedObject> {
      const object = await world.upload(jsonl(...lines));
      await acceptManifest(world.services(), object);
      return object;
    },
    async resultOf(object: DroppedObject, line: number): Promise<LineResult | undefined> {
      const found = await get(world.s3, 'uploads', `${object.key}.results/${String(line).padStart(6, '0')}.json`);
      return found && (JSON.parse(found.text) as LineResult);
    },
    /** Line and status of each result, in the order of the lines. */
    async statusesOf(object: DroppedObject): Promise<[line: number, status: string][]> {
      const keys = new Set(await world.keysBelow(`${object.key}.results/0`));
      const numbers = [...keys].map((key) => Number(/(\d{6})\.json$/.exec(key)![1])).sort((one, other) => one - other);
      return Promise.all(numbers.map(async (line) => [line, (await world.resultOf(object, line))!.status]));
    },
    async summaryOf(object: DroppedObject): Promise<Record<string, unknown> | undefined> {
      const found = await get(world.s3, 'uploads', `${object.key}.results/summary.json`);
      return found && (JSON.parse(found.text) as Record<string, unknown>);
    },
    mine: async (): Promise<VideoRecord[]> =>
      (await listVideos(world.table, { owner: world.owner, limit: 100 })).videos,
    /** The video whose result is written for a line. */
    async videoOf(line: number): Promise<VideoRecord> {
      const videos = await world.mine();
      return videos.find(({ source }) => (source as Source & { line: number }).line === line)!;
    },
    endLine: async (line: number, as: 'succeeded' | 'failed' | 'canceled' = 'succeeded'): Promise<VideoRecord> =>
      endAs(world.table, await world.videoOf(line), as),
    /** Videos whose results are not written yet. */
    async pending(): Promise<string[]> {
      const ids: string[] = [];
      for await (const id of idsInStatus(world.table, 'unfinished')) ids.push(id);
      return ids;
    },
  };
  beforeAll(async () => {
    // Each reading of the clock is a millisecond later, so that no two changes of a record look alike.
    store = await startTable(() => clock.now++);
    buckets = await versionedBuckets();
    world.s3 = buckets.s3;
    world.table = world.watched(store.table, buckets.s3);
  });
  afterAll(async () => {
    await buckets.close();
    await store.close();
  });
  beforeEach(() => {
    world.owner = `owner-${randomUUID().slice(0, 8)}`;
    world.folder = `drop/${world.owner}`;
    world.dispatched = [];
    errors.length = 0;
  });
  return world;
}

/** An S3 that fails where a command writes, or reads, a key that ends so. */
export const failingS3 = (
  s3: S3Client,
  ending: string,
  refused: 'PutObjectCommand' | 'GetObjectCommand' = 'PutObjectCommand',
): Pick<S3Client, 'send'> => ({
  send: ((command: { constructor: { name: string }; input: { Key?: string } }) =>
    command.constructor.name === refused && command.input.Key?.endsWith(ending)
      ? Promise.reject(new Error('SlowDown'))
      : s3.send(command as never)) as S3Client['send'],
});
