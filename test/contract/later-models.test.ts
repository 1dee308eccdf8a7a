import { describe, expect, test } from 'vitest';
import { findModel } from '../../functions/wan/catalogue.ts';
import { createWanClient } from '../../functions/wan/client/client.ts';
import { billedSeconds } from '../../functions/wan/client/query-task.ts';
import { outputSize } from '../../functions/wan/output.ts';
import { checkRequest } from '../../functions/wan/validation/request.ts';
import { fetchOf, png, probe, wanForTest, wav } from '../local/wan/support.ts';
import { everyModel } from '../support/videos.ts';

/*
 * A new model is a row of the catalogue and nothing else. These two are later than the reference; one has another wire format.
 * Each is checked, sent and rendered.
 */
const imageUrl = 'https://images.example/cat.png';
const audioUrl = 'https://audio.example/cat.wav';
// Larger than the models of the reference accept.
const image = png(2400, 1200);

const cases = [
  {
    model: 'wan2.6-i2v-flash',
    input: { prompt: 'A cat runs', img_url: imageUrl },
    parameters: { resolution: '720P', duration: 2, audio: false, shot_type: 'multi', seed: 1 },
    sent: { prompt: 'A cat runs', img_url: imageUrl },
    streams: ['video'],
    usage: { duration: 2, output_video_duration: 2, input_video_duration: 0, video_count: 1, SR: 720 },
  },
  {
    model: 'wan2.7-i2v',
    input: { prompt: 'A cat runs', img_url: imageUrl, audio_url: audioUrl },
    parameters: { resolution: '720P', duration: 3, watermark: true },
    sent: {
      prompt: 'A cat runs',
      media: [
        { type: 'first_frame', url: imageUrl },
        { type: 'driving_audio', url: audioUrl },
      ],
    },
    streams: ['video', 'audio'],
    usage: { duration: 3, output_video_duration: 3, input_video_duration: 0, video_count: 1, SR: 720 },
  },
] as const;

describe.each(cases)('$model', ({ model, input, parameters, sent, streams, usage }) => {
  const options = { mode: 'strict', trustedOrigins: [], deployment: everyModel } as const;

  test('is sent in its wire format and makes a video', async () => {
    const files = fetchOf({ [imageUrl]: image, [audioUrl]: wav(4) });
    const { wan, clock } = await wanForTest({ fetch: files.fetch });
    const client = createWanClient({ baseUrl: wan.url, apiKey: async () => 'sk-test', fetch });
    const checked = checkRequest({ model, input, parameters }, options);
    if (!checked.ok) throw new Error(JSON.stringify(checked.issues));
    const created = await client.createTask(checked.request);
    expect(JSON.parse(wan.requests[0]?.body ?? '')).toMatchObject({ model, input: sent, parameters });
    if (created.outcome !== 'created') throw new Error(JSON.stringify(created));

    clock.advance(6);
    let task = await client.queryTask(created.task_id);
    while (task.outcome === 'task' && task.status === 'RUNNING') task = await client.queryTask(created.task_id);
    expect(task).toMatchObject({ outcome: 'task', status: 'SUCCEEDED', usage });
    if (task.outcome !== 'task') return;
    expect(billedSeconds(task.usage)).toBe(parameters.duration);
    const video = Buffer.from(await (await fetch(task.video_url ?? '')).arrayBuffer());
    const probed = await probe(video);
    expect(probed.streams.map(({ codec_type }) => codec_type)).toEqual(streams);
    if (findModel(model).known_output_size)
      expect(probed.streams[0]).toMatchObject(outputSize({ width: 2400, height: 1200 }, parameters.resolution));
    expect(Number(probed.format.duration)).toBeCloseTo(parameters.duration, 2);
  });
});
