import { CopyObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { finishDeletions } from '../../../functions/maintenance/finish-deletions.ts';
import type { Table } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';
import { fileOf } from '../../support/videos.ts';
import { anOwner, body, dataUrl } from '../api/support.ts';
import { anApiWithUploads } from '../api/videos/upload-support.ts';
import { png, wav } from '../media/support.ts';

const store = startTable();

const inline = body({ input: { prompt: 'A cat runs', img_url: dataUrl(png(400, 400)) } });

/** A table that fails on the first record, before or after writing it. */
function aTableThatFails(isWritten: boolean): Table {
  const { client } = store.table;
  let hasFailed = false;
  const send = async (command: { input: { Item?: { status?: string } } }) => {
    if (hasFailed || !command.input.Item?.status) return client.send(command as never);
    hasFailed = true;
    if (isWritten) await client.send(command as never);
    throw new Error('DynamoDB failed');
  };
  return { ...store.table, client: { send } as typeof client };
}

async function anApiOver(table: Table, wrap?: (s3: S3Client) => Pick<S3Client, 'send'>) {
  const api = await anApiWithUploads(table, wrap);
  const sweep = () => finishDeletions({ table, s3: api.s3.sdk, videosBucket: 'others', uploadsBucket: 'uploads' });
  return { ...api, sweep, storedMedia: () => api.versionsBelow('inputs/') };
}

test('the sweep deletes an image whose record could not be written', async () => {
  const api = await anApiOver(aTableThatFails(false));
  expect((await api.submit({ body: inline })).status).toBe(500);
  expect(await api.storedMedia()).toHaveLength(1);
  await api.sweep();
  expect(await api.storedMedia()).toEqual([]);
});

test('keeps an image whose record may have been written', async () => {
  const api = await anApiOver(aTableThatFails(true));
  const owner = anOwner();
  expect((await api.submit({ body: inline, owner })).status).toBe(500);
  await api.sweep();
  const { data } = (await api.list({ owner })).body;
  expect(data).toMatchObject([{ status: 'queued' }]);
  expect(await api.storedMedia()).toEqual([fileOf(data[0])!.key]);
});

test('keeps an image for the retry of an idempotent request', async () => {
  const api = await anApiOver(aTableThatFails(false));
  const keyed = { body: inline, owner: anOwner(), headers: { 'Idempotency-Key': 'key-1' } };
  expect((await api.submit(keyed)).status).toBe(500);
  await api.sweep();
  const again = await api.submit(keyed);
  expect(again.status).toBe(202);
  expect(await api.storedMedia()).toEqual([fileOf(again.body)!.key]);
});

test('the sweep deletes an image whose audio was deleted after its inspection', async () => {
  const api = await anApiOver(store.table, (s3) => ({
    send: async (command: unknown) => {
      if (command instanceof CopyObjectCommand && command.input.CopySource?.includes('song')) {
        throw Object.assign(new Error('The version does not exist.'), { name: 'NoSuchVersion' });
      }
      return s3.send(command as never) as never;
    },
  }));
  const audio_url = await api.put('alice', 'song.wav', wav(5));
  const sent = { model: 'wan2.5-i2v-preview', input: { ...inline.input, audio_url } };
  expect(await api.submit({ body: sent })).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/input/audio_url', code: 'upload_not_found' }] },
  });
  await expect.poll(api.storedMedia).toHaveLength(1);
  await api.sweep();
  expect(await api.storedMedia()).toEqual([]);
});

test('a request that is refused before anything is stored writes nothing to the table', async () => {
  const sent: string[] = [];
  const { client } = store.table;
  const send = (command: { constructor: { name: string } }) => {
    sent.push(command.constructor.name);
    return client.send(command as never);
  };
  const api = await anApiOver({ ...store.table, client: { send } as typeof client });
  const absent = { ...inline, input: { prompt: 'A cat runs', img_url: 's3://uploads/uploads/alice/absent.png' } };
  expect((await api.submit({ body: absent })).status).toBe(400);
  expect(sent).toEqual([]);
});
