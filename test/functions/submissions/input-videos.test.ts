import { GetObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { readSpending, reserveSpending, settleSpending } from '../../../functions/ledger/spending.ts';
import { changeStatus, readVideo } from '../../../functions/video/store.ts';
import { estimatedCost, priceOf } from '../../../functions/wan/prices.ts';
import { checkRequest } from '../../../functions/wan/validation/request.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { startTable } from '../../support/table.ts';
import { aTask, everyModel, fileOf } from '../../support/videos.ts';
import { anOwner } from '../api/support.ts';
import { anApiWithUploads } from '../api/videos/upload-support.ts';
import { ffmpegFile } from '../media/support.ts';

const store = startTable();
let clip: Buffer;
let long: Buffer;
beforeAll(async () => {
  const video = (seconds: number) =>
    ffmpegFile('in.mp4', '-f', 'lavfi', '-i', `testsrc=size=320x240:rate=24:duration=${seconds}`);
  [clip, long] = [await video(2.5), await video(12)];
});

const open = (given: Parameters<typeof anApiWithUploads>[2] = {}) => {
  const read: string[] = [];
  const wrap: Parameters<typeof anApiWithUploads>[1] = (s3) => ({
    send: ((command: GetObjectCommand) => {
      if (command instanceof GetObjectCommand) read.push(command.input.Range ?? 'whole');
      return s3.send(command);
    }) as never,
  });
  return anApiWithUploads(store.table, wrap, { deployment: everyModel, ...given }).then((api) => ({
    ...api,
    readObject: api.read,
    read,
  }));
};
const continuation = (url: string, duration = 10) => ({
  model: 'wan2.7-i2v',
  input: { prompt: 'The cat walks on', media: [{ type: 'first_clip', url }] },
  parameters: { resolution: '720P', duration },
});
const edit = (urls: string[], duration = 5) => ({
  model: 'wan3.0-video',
  input: { prompt: 'Video 1 at night', media: urls.map((url) => ({ type: 'reference_video', url })) },
  parameters: { resolution: '720P', duration },
});

describe('an uploaded video', () => {
  test('is inspected by ranges, copied to the media of its video, and priced by its length', async () => {
    const api = await open();
    const url = await api.put('alice', 'clip.mov', clip);
    const { status, body } = await api.submit({ body: edit([url, url]) });
    expect([status, body.errors]).toEqual([202, undefined]);
    const record = (await readVideo(store.table, body.id))!;
    const file = fileOf(record, 'reference_video')!;
    expect(file).toMatchObject({
      ...{ content_type: 'video/mp4', bytes: clip.length, duration_seconds: 2.5, width: 320, height: 240, fps: 24 },
      key: expect.stringMatching(new RegExp(`^inputs/${body.id}/[0-9a-f]{64}\\.mp4$`)),
    });
    expect(api.read).not.toContain('whole');
    expect((await api.readObject(file)).bytes.equals(clip)).toBe(true);
    // Two inputs of 2.5 s and 5 s of output.
    expect(record.estimated_cost).toMatchObject({ seconds: 10, amount: 1 });
  });

  test('is refused by the limits of the model, and when it is missing or another owner has it', async () => {
    const api = await open();
    const [ours, foreign] = [await api.put('alice', 'long.mp4', long), await api.put('bob', 'clip.mp4', clip)];
    const issues = async (body: object) =>
      (await api.submit({ body })).body.errors?.map(
        ({ pointer, code }: Record<string, string>) => `${pointer} ${code}`,
      );
    expect(await issues(continuation(ours))).toEqual(['/input/media/0/url video_duration']);
    expect(await issues(continuation(foreign))).toEqual(['/input/media/0/url upload_not_found']);
    expect(await issues(continuation(ours.replace('long', 'no')))).toEqual(['/input/media/0/url upload_not_found']);
    expect(await issues(continuation(await api.put('alice', 'c.mp4', clip), 2))).toEqual([
      '/parameters/duration unsupported_duration',
    ]);
    expect(await issues(edit([ours, ours]))).toEqual(['/input/media video_duration']);
    expect(await issues(edit([ours], 20))).toEqual(['/parameters/duration unsupported_duration']);
    expect(await api.versionsBelow('inputs/')).toEqual([]);
  });

  test('counts with its real length towards the spending limit, an address with the longest', async () => {
    const api = await open({ monthlySpendingLimit: 1.1 });
    const owner = anOwner();
    const url = await api.put(owner, 'clip.mp4', clip);
    expect((await api.submit({ body: edit([url, url]), owner })).status).toBe(202);
    // 15 s of input and 5 s of output may be billed, at 0.10 each.
    const unknown = await api.submit({ body: edit(['https://example.com/a.mp4']), owner });
    expect(unknown).toMatchObject({ status: 403, body: { code: 'spending_limit_reached' } });
  });
});

describe('what is reserved', () => {
  test('is at least what Wan bills, for every model, length and mix of inputs', () => {
    const random = seededRandom(20261201);
    const between = (from: number, to: number) => from + random() * (to - from);
    const image = { type: 'first_frame', url: 'https://example.com/a.png' };
    for (let round = 0; round < 2000; round += 1) {
      const model = ['wan2.6-i2v-flash', 'wan2.7-i2v', 'wan3.0-video'][round % 3]!;
      const isKnown = random() < 0.5;
      const lengths =
        model === 'wan2.7-i2v'
          ? [between(2, 10)]
          : model === 'wan3.0-video'
            ? Array.from({ length: Math.floor(random() * 4) }, () => between(1, 5))
            : [];
      const type = model === 'wan2.7-i2v' ? 'first_clip' : 'reference_video';
      const media =
        lengths.length > 0 ? lengths.map((_, index) => ({ type, url: `https://example.com/${index}` })) : [image];
      const duration = model === 'wan3.0-video' && random() < 0.3 ? -1 : Math.floor(between(2, 16));
      const checked = checkRequest(
        { model, input: { prompt: 'x', media }, parameters: { duration, resolution: '720P' } },
        { mode: 'strict', trustedOrigins: [], deployment: everyModel },
      );
      if (!checked.ok) throw new Error(JSON.stringify(checked.issues));
      const measured = checked.media.map(({ type }, index) => ({
        type,
        ...(isKnown && lengths.length > 0 ? { duration_seconds: lengths[index]! } : {}),
      }));
      const reserved = estimatedCost(checked.request, measured, everyModel)!;
      const input = lengths.reduce((sum, seconds) => sum + seconds, 0);
      const output = duration === -1 ? between(2, 30 - input) : duration;
      const billed = model === 'wan2.7-i2v' ? Math.max(output, input) : output + input;
      const settled = priceOf(checked.request.model, '720P', Math.round(billed * 1000) / 1000, everyModel)!;
      expect(reserved.amount, JSON.stringify({ model, duration, lengths, isKnown })).toBeGreaterThanOrEqual(
        settled.amount,
      );
    }
  });

  test('is settled by the seconds that Wan reports, parts of them included', async () => {
    const api = await open({ monthlySpendingLimit: 3 });
    const owner = anOwner();
    const { body } = await api.submit({ body: edit(['https://example.com/a.mp4'], -1), owner });
    const queued = (await readVideo(store.table, body.id))!;
    expect(queued.estimated_cost).toMatchObject({ seconds: 30, amount: 3 });
    const attempt = { submission: { attempt: 1, state: 'open', sent_at: queued.created_at } } as const;
    const submitting = (await changeStatus(store.table, queued, 'submitting', { set: attempt }))!;
    expect(await reserveSpending(store.table, submitting, 3)).toBe(true);
    const spending = () => readSpending(store.table, owner, queued.spending_month);
    expect(await spending()).toMatchObject({ spent: 0, reserved: 3 });
    const running = (await changeStatus(store.table, submitting, 'running', { set: { task: aTask() } }))!;
    const usage = { duration: 11.4, input_video_duration: 4.4, output_video_duration: 7, fps: 24, ratio: '16:9' };
    const archiving = (await changeStatus(store.table, running, 'archiving', { set: { usage } }))!;
    await settleSpending(store.table, archiving);
    expect(await spending()).toMatchObject({ spent: 1.14, reserved: 0 });
  });
});
