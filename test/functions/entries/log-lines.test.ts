import { expect, test } from 'vitest';
import { logContext } from '../../../functions/api/http/handler.ts';
import { onAccepted } from '../../../functions/entries/services.ts';
import { createLogger } from '../../../functions/shared/logging.ts';
import { aVideo, firstFrame } from '../../support/videos.ts';
import { aRequest } from '../api/support.ts';
import { linesOf } from '../log-lines.ts';

test('logs an accepted request in one line, with only the video’s id, model, source and status', async () => {
  const secret = 'marker-of-a-secret';
  const video = aVideo({
    input: { prompt: secret, negative_prompt: secret, media: firstFrame(`https://example.com/a.png?sig=${secret}`) },
    metadata: { name: secret },
    source: { type: 'api', key_id: secret },
    owner: secret,
  });
  const tell = onAccepted(createLogger('tested'));
  const lines = await linesOf(async () => tell({ video, created: true }));
  expect(lines).toMatchObject([{ video_id: video.id, model: video.model, source: 'api', status: 'queued' }]);
  expect(JSON.stringify(lines)).not.toContain(secret);
});

test('adds the video of the path to a request’s lines, but no text that is not an id', () => {
  const id = '0f9d3f1c-64c1-4d61-9f7a-0a0a2a9f1b1c';
  expect(logContext(aRequest({ id }))).toMatchObject({ video_id: id });
  const { requestContext } = aRequest({});
  expect(
    logContext({
      ...aRequest({}),
      requestContext: { ...requestContext, requestId: 'chosen', extendedRequestId: 'own' },
    }),
  ).toEqual({ request_id: 'chosen', extended_request_id: 'own' });
  expect(logContext({ ...aRequest({}), pathParameters: { proxy: `tasks/${id}/cancel` } })).toMatchObject({
    video_id: id,
  });
  for (const path of [{ id: 'my secret' }, { proxy: 'tasks/my secret' }, { id: `${id}x` }, null])
    expect(logContext({ ...aRequest({}), pathParameters: path })).not.toHaveProperty('video_id');
});
