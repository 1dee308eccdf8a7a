import { randomUUID } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Endpoint, openEndpoint } from '../support/endpoint.ts';
import { png } from '../support/png.ts';

/** How many of a thousand become videos: the others are too small for every model. */
const made = 20;
const images = Array.from({ length: 1000 }, (_, index) => ({
  name: `${index}.png`,
  // In between, so that none of the good ones is the first or the last.
  isGood: index % (1000 / made) === 7,
}));
const [good, tiny] = [png(480, 480), png(10, 10)];
/** One seed, so that Wan's emulator draws one video. */
const Metadata = { prompt: 'A cat runs', resolution: '480P', seed: '1' };

let api: Endpoint;
beforeAll(async () => {
  api = await openEndpoint();
});
afterAll(() => api?.close());

test('1,000 images that are dropped together all end with a result next to them', async () => {
  const Bucket = api.uploads_bucket;
  const folder = `drop/e2e-${randomUUID()}`;
  const keysOfResults = async (): Promise<Set<string>> => {
    const keys = new Set<string>();
    for (let StartAfter: string | undefined = ''; StartAfter !== undefined; ) {
      const { Contents = [], IsTruncated }: { Contents?: { Key?: string }[]; IsTruncated?: boolean | undefined } =
        await api.s3.send(new ListObjectsV2Command({ Bucket, Prefix: `${folder}/`, StartAfter }));
      for (const { Key = '' } of Contents) if (Key.endsWith('.result.json')) keys.add(Key);
      StartAfter = IsTruncated ? Contents.at(-1)?.Key : undefined;
    }
    return keys;
  };
  const resultOf = async (name: string): Promise<Record<string, unknown>> => {
    const { Body } = await api.s3.send(new GetObjectCommand({ Bucket, Key: `${folder}/${name}.result.json` }));
    return JSON.parse(await Body!.transformToString());
  };

  const rest = images.values();
  const drop = async () => {
    for (const { name, isGood } of rest) {
      const Body = isGood ? good : tiny;
      await api.s3.send(new PutObjectCommand({ Bucket, Key: `${folder}/${name}`, Body, Metadata }));
    }
  };
  // As many as a client of S3 has connections.
  await Promise.all(Array.from({ length: 50 }, drop));
  const wanted = new Set(images.map(({ name }) => `${folder}/${name}.result.json`));
  for (let written = new Set<string>(); written.size < wanted.size; written = await keysOfResults()) {
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  expect(await keysOfResults()).toEqual(wanted);

  const ids = new Set<unknown>();
  for (const { name, isGood } of images) {
    const result = await resultOf(name);
    ids.add(result.id);
    expect(result).toMatchObject({
      image: { key: `${folder}/${name}` },
      ...(isGood ? { status: 'succeeded' } : { status: 'failed', error: { code: 'image_dimensions' } }),
    });
  }
  expect(ids.size).toBe(images.length);
}, 480_000);
