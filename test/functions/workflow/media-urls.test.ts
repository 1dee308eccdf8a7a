import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import type { StoredMedia } from '../../../functions/video/record.ts';
import type { Upload, UploadOutcome } from '../../../functions/wan/client/upload-file.ts';
import { resolveMediaUrls } from '../../../functions/workflow/media-urls.ts';
import { startS3 } from '../../local/s3/support/start-s3.ts';
import { aVideo, firstFrame, storedInput } from '../../support/videos.ts';

/** A bucket with an image and audio, both overwritten after validation, and a Wan that records uploads. */
async function stored(
  answer: (upload: Upload) => UploadOutcome = ({ name }) => ({ outcome: 'uploaded', url: `oss://${name}` }),
) {
  const s3 = await startS3({ buckets: { uploads: { versioned: true } } });
  const put = async (key: string, Body: string) =>
    (await s3.sdk.send(new PutObjectCommand({ Bucket: 'uploads', Key: key, Body }))).VersionId!;
  const [imageVersion, audioVersion] = [await put('inputs/1/p.png', 'image'), await put('inputs/1/s.mp3', 'audio')];
  await Promise.all([put('inputs/1/p.png', 'another'), put('inputs/1/s.mp3', 'another')]);
  const image: StoredMedia = {
    bucket: 'uploads',
    key: 'inputs/1/p.png',
    version_id: imageVersion,
    content_type: 'image/png',
    bytes: 7,
    width: 400,
    height: 400,
  };
  const audio: StoredMedia = {
    bucket: 'uploads',
    key: 'inputs/1/s.mp3',
    version_id: audioVersion,
    content_type: 'audio/mpeg',
    bytes: 5,
    duration_seconds: 5,
  };
  const uploads: Upload[] = [];
  const wan = {
    uploadFile: async (upload: Upload) => {
      uploads.push(upload);
      return answer(upload);
    },
  };
  return { services: { s3: s3.sdk, wan }, image, audio, uploads };
}

const video = (given: Parameters<typeof storedInput>[0]) => aVideo(storedInput(given));
const urlsOf = (media: Awaited<ReturnType<typeof resolveMediaUrls>>) =>
  Array.isArray(media) ? media.map(({ url }) => url) : media;
const text = async (url: string) => (await fetch(url)).text();

describe("a video's media URL", () => {
  test("is the caller's own URL, unchanged, for both transfers", async () => {
    const { services, uploads } = await stored();
    for (const transfer of ['url', 'upload'] as const) {
      expect(await resolveMediaUrls(services, video({}), transfer)).toEqual(firstFrame('https://example.com/cat.png'));
      expect(await resolveMediaUrls(services, video({ audio: 'https://example.com/a.mp3' }), transfer)).toEqual([
        { type: 'first_frame', url: 'https://example.com/cat.png' },
        { type: 'driving_audio', url: 'https://example.com/a.mp3' },
      ]);
    }
    expect(uploads).toEqual([]);
  });

  test('is a presigned URL of the validated version, for image and audio', async () => {
    const { services, image, audio } = await stored();
    const media = await resolveMediaUrls(services, video({ image, audio }), 'url');
    if ('outcome' in media) throw new Error('account_refused');
    expect(await text(media[0]!.url)).toBe('image');
    expect(await text(media[1]!.url)).toBe('audio');
    expect(new URL(media[1]!.url).searchParams.get('X-Amz-Expires')).toBe('900');
  });

  test("is an `oss://` URL of Wan's upload, for image and audio", async () => {
    const { services, image, audio, uploads } = await stored();
    expect(urlsOf(await resolveMediaUrls(services, video({ image, audio }), 'upload'))).toEqual([
      'oss://p.png',
      'oss://s.mp3',
    ]);
    const sent = uploads.map(({ bytes, ...upload }) => ({ ...upload, text: Buffer.from(bytes).toString() }));
    expect(sent.sort((one, other) => one.name.localeCompare(other.name))).toEqual([
      { model: 'wan2.2-i2v-plus', name: 'p.png', content_type: 'image/png', text: 'image' },
      { model: 'wan2.2-i2v-plus', name: 's.mp3', content_type: 'audio/mpeg', text: 'audio' },
    ]);
  });

  test("is determined separately for a caller's image and stored audio", async () => {
    const { services, audio } = await stored();
    expect(urlsOf(await resolveMediaUrls(services, video({ audio }), 'upload'))).toEqual([
      'https://example.com/cat.png',
      'oss://s.mp3',
    ]);
  });
});

describe('an upload to Wan', () => {
  test('returns a refusal of the account, for audio and image', async () => {
    const accountRefused = {
      outcome: 'account_refused',
      reason: 'key',
      retryable: true,
      code: 'X',
      message: '',
      billed: false,
    } as const;
    for (const kept of ['p.png', 's.mp3']) {
      const { services, image, audio } = await stored(({ name }) =>
        name === kept ? (accountRefused as unknown as UploadOutcome) : { outcome: 'uploaded', url: `oss://${name}` },
      );
      expect(await resolveMediaUrls(services, video({ image, audio }), 'upload')).toEqual(accountRefused);
    }
  });

  test.each([
    [{ outcome: 'throttled', retryable: true, code: 'Throttling', message: '', billed: false }, 'WanThrottled'],
    [{ outcome: 'unavailable', cause: 'http_503', retryable: true, billed: false }, 'WanUnavailable'],
  ] as const)('that Wan does not take for now is tried again: %j', async (answer, name) => {
    const { services, audio } = await stored(() => answer as UploadOutcome);
    await expect(resolveMediaUrls(services, video({ audio }), 'upload')).rejects.toMatchObject({ name });
  });

  test('reports a missing file or version', async () => {
    const { services, image, audio, uploads } = await stored();
    const gone = { outcome: 'gone' };
    const { version_id, ...unversioned } = audio;
    const nowhere = { ...unversioned, key: 'inputs/1/none' };
    expect(await resolveMediaUrls(services, video({ audio: nowhere }), 'upload')).toEqual(gone);
    const { key: Key, version_id: VersionId } = image;
    await services.s3.send(new DeleteObjectCommand({ Bucket: 'uploads', Key, VersionId }));
    expect(await resolveMediaUrls(services, video({ image }), 'upload')).toEqual(gone);
    expect(uploads).toEqual([]);
    // Signing does not check the file: Wan cannot fetch it, and the following upload detects that.
    const presigned = await resolveMediaUrls(services, video({ image }), 'url');
    if ('outcome' in presigned) throw new Error(presigned.outcome);
    expect((await fetch(presigned[0]!.url)).status).toBe(404);
  });

  test('of an unreadable file throws', async () => {
    const { services, audio } = await stored();
    const s3 = { send: () => Promise.reject(Object.assign(new Error('no'), { name: 'AccessDenied' })) };
    await expect(resolveMediaUrls({ ...services, s3: s3 as never }, video({ audio }), 'upload')).rejects.toThrow('no');
  });
});
