import { CopyObjectCommand, DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { readVideo } from '../../../functions/video/store.ts';
import { bmp } from '../../support/image-variants.ts';
import { startTable } from '../../support/table.ts';
import { fileOf } from '../../support/videos.ts';
import { anOwner } from '../api/support.ts';
import { anApiWithUploads } from '../api/videos/upload-support.ts';
import { png, wav } from '../media/support.ts';

const store = startTable();

const withAudio = (img_url: string, audio_url?: string) => ({
  model: 'wan2.5-i2v-preview',
  input: { prompt: 'A cat sings', img_url, ...(audio_url ? { audio_url } : {}) },
});
const issues = (response: { body: { errors?: { pointer: string; code: string }[] } }) =>
  response.body.errors?.map(({ pointer, code }) => `${pointer} ${code}`);

describe('an upload in a request', () => {
  test("is inspected and copied to the video's media, named by its bytes, without the metadata of the uploader", async () => {
    const api = await anApiWithUploads(store.table);
    const [image, audio] = [png(400, 380), wav(5)];
    const [img_url, audio_url] = [
      await api.put('alice', 'a/photo of ü+1.jpg', image),
      await api.put('alice', 'b', audio),
    ];
    const { status, body: video } = await api.submit({ body: withAudio(img_url, audio_url) });
    expect(status).toBe(202);
    const record = (await readVideo(store.table, video.id))!;
    const version_id = expect.anything();
    expect(fileOf(record)).toMatchObject({
      ...{ content_type: 'image/png', bytes: image.length, width: 400, height: 380, version_id },
    });
    expect(fileOf(record, 'driving_audio')).toMatchObject({
      ...{ content_type: 'audio/wav', bytes: audio.length, duration_seconds: 5, version_id },
    });
    expect(record.input).toMatchObject({
      prompt: 'A cat sings',
      media: [
        { type: 'first_frame', url: `s3://uploads/${fileOf(record)!.key}` },
        { type: 'driving_audio', url: `s3://uploads/${fileOf(record, 'driving_audio')!.key}` },
      ],
    });
    expect(fileOf(record)!.key).toMatch(new RegExp(`^inputs/${video.id}/[0-9a-f]{64}\\.png$`));
    expect(fileOf(record, 'driving_audio')!.key).toMatch(new RegExp(`^inputs/${video.id}/[0-9a-f]{64}\\.wav$`));
    const stored = await api.read(fileOf(record)!);
    expect(stored.bytes.equals(image)).toBe(true);
    expect((await api.read(fileOf(record, 'driving_audio')!)).bytes.equals(audio)).toBe(true);
    expect((await api.read(fileOf(record, 'driving_audio')!)).ContentType).toBe('audio/wav');
    expect(JSON.stringify(video)).not.toContain('uploads/alice');
  });

  test('may be larger than an inline image', async () => {
    const api = await anApiWithUploads(store.table);
    const large = bmp({ width: 1600, height: 1200 });
    expect(large.length).toBeGreaterThan(4 * 1024 * 1024);
    const { status } = await api.submit({ body: withAudio(await api.put('alice', 'x', large)) });
    expect(status).toBe(202);
  });

  test('may be combined with an inline image or a URL', async () => {
    const api = await anApiWithUploads(store.table);
    const audio_url = await api.put('alice', 's', wav(4));
    const inline = `data:image/png;base64,${png(400, 400).toString('base64')}`;
    const one = await api.submit({ body: withAudio(inline, audio_url) });
    expect(one.body.input.media).toMatchObject([{ file: { width: 400 } }, { file: { duration_seconds: 4 } }]);
    const other = await api.submit({ body: withAudio('https://example.com/cat.png', audio_url) });
    expect(other.body.input.media).toMatchObject([
      { url: 'https://example.com/cat.png' },
      { type: 'driving_audio', file: { bytes: 32_044 } },
    ]);
    expect(other.body).not.toHaveProperty('image');
  });
});

describe('never reveals the files of others', () => {
  test("answers the same for another owner's file, an absent one, another bucket and tricks with the path", async () => {
    const api = await anApiWithUploads(store.table);
    await api.put('bob', 'x/image.png', png(400, 400));
    await api.put('alice', 'x/image.png', png(400, 400), 'others');
    await api.s3.sdk.send(new PutObjectCommand({ Bucket: 'uploads', Key: 'drop/x.png', Body: png(400, 400) }));
    const addresses = [
      's3://uploads/uploads/bob/x/image.png',
      's3://uploads/uploads/alice/absent.png',
      's3://uploads/uploads/alice/',
      's3://others/uploads/alice/x/image.png',
      's3://uploads/drop/x.png',
      's3://uploads/inputs/x.png',
      's3://uploads/uploads/alice/../bob/x/image.png',
      's3://uploads/uploads/alice/./../bob/x/image.png',
      's3://uploads/uploads/alice',
      's3://uploads/uploads/alicebob/x',
      's3://uploads/uploads/Alice/x/image.png',
      's3://uploads/uploads//bob/x/image.png',
      'S3://uploads/uploads/bob/x/image.png',
      's3://uploads',
      's3://',
      's3:uploads/alice/x',
      `s3://uploads/uploads/alice/${'x'.repeat(2000)}`,
    ];
    const responses = await Promise.all(addresses.map((img_url) => api.submit({ body: withAudio(img_url) })));
    const bodies = new Set(responses.map((response) => JSON.stringify(response)));
    expect([...bodies]).toHaveLength(1);
    expect(responses[0]).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(issues(responses[0]!)).toEqual(['/input/img_url upload_not_found']);
    expect(await api.versionsBelow('inputs/')).toEqual([]);
  });

  test('checks audio by the same rule and reports both issues', async () => {
    const api = await anApiWithUploads(store.table);
    const audio = await api.put('bob', 's', wav(5));
    expect(issues(await api.submit({ body: withAudio('https://example.com/cat.png', audio) }))).toEqual([
      '/input/audio_url upload_not_found',
    ]);
    const both = withAudio('s3://uploads/uploads/alice/absent', 's3://uploads/uploads/alice/absent-too');
    expect(issues(await api.submit({ body: both }))).toEqual([
      '/input/img_url upload_not_found',
      '/input/audio_url upload_not_found',
    ]);
  });

  test('answers the same for a deleted file', async () => {
    const api = await anApiWithUploads(store.table);
    const img_url = await api.put('alice', 'x', png(400, 400));
    await api.s3.sdk.send(new DeleteObjectCommand({ Bucket: 'uploads', Key: 'uploads/alice/x' }));
    expect(issues(await api.submit({ body: withAudio(img_url) }))).toEqual(['/input/img_url upload_not_found']);
  });
});

describe('an upload that the model does not accept', () => {
  test.each<[string, Uint8Array, string]>([
    ['a text with the name of an image', Buffer.from('not an image'), 'unsupported_image_type'],
    ['audio instead of an image', wav(5), 'unsupported_image_type'],
    ['a small image', png(10, 10), 'image_dimensions'],
    ['a truncated header', png(400, 400).subarray(0, 20), 'image_unreadable'],
    ['a transparent image', png(400, 400, { colorType: 6 }), 'image_has_alpha'],
    ['an empty file', Buffer.alloc(0), 'image_empty'],
    ['an image over the limit', Buffer.concat([png(400, 400), Buffer.alloc(10 * 1024 * 1024)]), 'image_too_large'],
  ])('is refused: %s', async (_, bytes, code) => {
    const api = await anApiWithUploads(store.table);
    const response = await api.submit({ body: withAudio(await api.put('alice', 'image.png', bytes)) });
    expect(response).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(issues(response)).toEqual([`/input/img_url ${code}`]);
    expect(await api.versionsBelow('inputs/')).toEqual([]);
  });

  test.each<[string, Uint8Array, string]>([
    ['an image instead of audio', png(400, 400), 'unsupported_audio_type'],
    ['a short audio file', wav(1), 'audio_duration'],
    ['half of an audio file', wav(5).subarray(0, 20_000), 'audio_duration'],
    ['an empty file', Buffer.alloc(0), 'audio_empty'],
    ['an audio file over the limit', Buffer.alloc(15 * 1024 * 1024 + 1), 'audio_too_large'],
  ])('is refused and the valid image is not stored: %s', async (_, bytes, code) => {
    const api = await anApiWithUploads(store.table);
    const [img_url, audio_url] = [await api.put('alice', 'i', png(400, 400)), await api.put('alice', 's', bytes)];
    expect(issues(await api.submit({ body: withAudio(img_url, audio_url) }))).toEqual([`/input/audio_url ${code}`]);
    expect(await api.versionsBelow('inputs/')).toEqual([]);
  });

  test('is read only in part when it is too large', async () => {
    let read = 0;
    const api = await anApiWithUploads(store.table, (sdk) => ({
      send: async (command: never) => {
        const response = (await sdk.send(command)) as { Body?: NodeJS.ReadableStream };
        const push = response.Body?.on.bind(response.Body);
        push?.('data', (chunk: Buffer) => {
          read += chunk.length;
        });
        response.Body?.pause();
        return response;
      },
    }));
    const audio_url = await api.put('alice', 's', Buffer.alloc(60 * 1024 * 1024));
    await api.submit({ body: withAudio('https://example.com/cat.png', audio_url) });
    expect(read).toBeLessThan(5 * 1024 * 1024);
  });
});

describe('stores exactly the inspected version', () => {
  test('when the key is overwritten between inspection and copy', async () => {
    const [good, evil] = [png(400, 400), png(500, 500)];
    const api = await anApiWithUploads(store.table, (sdk) => ({
      send: async (command: never) => {
        if ((command as object) instanceof CopyObjectCommand) {
          await sdk.send(new PutObjectCommand({ Bucket: 'uploads', Key: 'uploads/alice/x', Body: evil }));
        }
        return sdk.send(command);
      },
    }));
    const { body: video } = await api.submit({ body: withAudio(await api.put('alice', 'x', good)) });
    expect(fileOf(video)).toMatchObject({ width: 400 });
    expect((await api.read(fileOf(video)!)).bytes.equals(good)).toBe(true);
  });

  test('or answers upload_not_found when that version was deleted before the copy', async () => {
    const api = await anApiWithUploads(store.table, (sdk) => ({
      send: async (command: never) => {
        if ((command as object) instanceof CopyObjectCommand) {
          const object = { Bucket: 'uploads', Key: 'uploads/alice/x' };
          const { VersionId } = await sdk.send(new GetObjectCommand(object));
          await sdk.send(new DeleteObjectCommand({ ...object, VersionId }));
        }
        return sdk.send(command);
      },
    }));
    const response = await api.submit({ body: withAudio(await api.put('alice', 'x', png(400, 400))) });
    expect(issues(response)).toEqual(['/input/img_url upload_not_found']);
  });
});

describe('a repeated request', () => {
  const keyed = (sent: unknown, owner: string) => ({ body: sent, owner, headers: { 'Idempotency-Key': 'key-1' } });

  test('creates one video and one object per file for fifty concurrent calls', async () => {
    const owner = anOwner();
    const api = await anApiWithUploads(store.table);
    const sent = withAudio(await api.put(owner, 'i', png(400, 400)), await api.put(owner, 's', wav(5)));
    const responses = await Promise.all(Array.from({ length: 50 }, () => api.submit(keyed(sent, owner))));
    expect(responses.map(({ status }) => status).sort()).toEqual([...Array(49).fill(200), 202]);
    expect(new Set(responses.map((response) => response.body.id)).size).toBe(1);
    const video = responses[0]!.body;
    expect((await api.versionsBelow('inputs/')).sort()).toEqual(
      video.input.media.map(({ file }: { file: { key: string } }) => file.key).sort(),
    );
  });

  test('does not need or read the upload', async () => {
    const owner = anOwner();
    const api = await anApiWithUploads(store.table);
    const sent = withAudio(await api.put(owner, 'i', png(400, 400)));
    const first = await api.submit(keyed(sent, owner));
    await api.s3.sdk.send(new DeleteObjectCommand({ Bucket: 'uploads', Key: `uploads/${owner}/i` }));
    api.s3.calls.length = 0;
    const again = await api.submit(keyed(sent, owner));
    expect(again).toMatchObject({ status: 200, body: { id: first.body.id, input: first.body.input } });
    expect(api.s3.calls).toEqual([]);
  });

  test('creates the video with the existing copy after a crash between copy and record', async () => {
    const owner = anOwner();
    const { client } = store.table;
    const send = (command: { constructor: { name: string } }) =>
      command.constructor.name === 'PutCommand'
        ? Promise.reject(new Error('crash'))
        : client.send(command as Parameters<typeof client.send>[0]);
    let crashing = true;
    const table = {
      ...store.table,
      client: { send: (command: never) => (crashing ? send(command) : client.send(command)) },
    };
    const api = await anApiWithUploads(table as typeof store.table);
    const sent = withAudio(await api.put(owner, 'i', png(400, 400)));
    expect((await api.submit(keyed(sent, owner))).status).toBe(500);
    const copies = await api.versionsBelow('inputs/');
    expect(copies).toHaveLength(1);
    crashing = false;
    const again = await api.submit(keyed(sent, owner));
    expect(again).toMatchObject({ status: 202, body: { input: { media: [{ file: { key: copies[0] } }] } } });
    expect(await api.versionsBelow('inputs/')).toEqual(copies);
    expect((await api.read(fileOf(again.body)!)).bytes.equals(png(400, 400))).toBe(true);
  });
});
