import { beforeEach, describe, expect, test } from 'vitest';
import { readVideo } from '../../../../functions/video/store.ts';
import { startTable } from '../../../support/table.ts';
import { aDeployment, fileOf } from '../../../support/videos.ts';
import { png } from '../../media/support.ts';
import { type ApiResponse, anApi, aRequest, body, dataUrl } from '../support.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const store = startTable(() => now);
let api: ReturnType<typeof anApi>;
beforeEach(() => {
  api = anApi(store.table);
});

/** Expects an uncacheable RFC 9457 problem with our members and without internal details. */
function expectProblem(response: ApiResponse, status: number, code: string) {
  expect(response).toMatchObject({
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    body: {
      type: `urn:firstframe:problem:${code}`,
      status,
      code,
      title: expect.stringMatching(/\.$/),
      detail: expect.stringMatching(/\.$/),
      request_id: 'request-1',
    },
  });
  for (const issue of response.body.errors ?? []) {
    expect(issue).toEqual({
      pointer: expect.stringMatching(/^(\/.*)?$/s),
      code: expect.stringMatching(/^[a-z_]+$/),
      message: expect.stringMatching(/\.$/),
    });
  }
  expect(JSON.stringify(response.body)).not.toMatch(/node_modules|\bat \w+ \(|Error:/);
  expect(api.unexpectedErrors).toEqual([]);
  expect(api.dispatched).toEqual([]);
}

describe('a valid request', () => {
  test('answers 202 with the video, its location and Retry-After', async () => {
    const response = await api.submit({ body: body({ metadata: { project: 'spring' } }) });
    expect(response).toMatchObject({
      status: 202,
      headers: { 'content-type': 'application/json', location: `videos/${response.body.id}`, 'retry-after': '5' },
      body: {
        owner: 'alice',
        status: 'queued',
        created_at: '2026-01-01T00:00:00.000Z',
        model: 'wan2.2-i2v-plus',
        input: { prompt: 'A cat runs', media: [{ type: 'first_frame', url: 'https://example.com/cat.png' }] },
        parameters: { resolution: '1080P', duration: 5, prompt_extend: true, watermark: false },
        source: { type: 'api', key_id: 'key of alice' },
        metadata: { project: 'spring' },
        warnings: [],
        progress: 0,
        timeline: [{ status: 'queued', at: '2026-01-01T00:00:00.000Z' }],
      },
    });
    expect(api.dispatched).toEqual([response.body.id]);
  });

  test('returns a Location that resolves under any stage or base path', async () => {
    for (const [address, path] of [
      ['http://127.0.0.1:4400/videos', '/videos'],
      ['https://x.execute-api.us-east-1.amazonaws.com/v1/videos', '/videos'],
      ['https://api.example.com/v1/videos/', '/videos/'],
    ] as const) {
      const { headers, body: video } = await api.submit({ ...aRequest({ body: body() }), path });
      const { href } = new URL(headers.location!, address);
      expect(href).toBe(`${address.replace(/\/$/, '')}/${video.id}`);
    }
  });

  test('returns the video after the dispatch', async () => {
    const { submit } = anApi(store.table, {
      dispatch: async ({ id }) => {
        const { changeStatus } = await import('../../../../functions/video/store.ts');
        await changeStatus(store.table, (await readVideo(store.table, id))!, 'submitting', { set: { run: 1 } });
      },
    });
    expect((await submit({ body: body() })).body).toMatchObject({ status: 'submitting' });
  });

  test('answers 202 with the queued video when the dispatch fails', async () => {
    api = anApi(store.table, { dispatch: () => Promise.reject(new Error('Step Functions failed')) });
    const response = await api.submit({ body: body() });
    expect(response).toMatchObject({ status: 202, body: { status: 'queued' } });
    expect(await readVideo(store.table, response.body.id)).toMatchObject({ status: 'queued', owner: 'alice' });
    expect(api.undispatched).toEqual([response.body.id]);
  });

  test('answers 202 when the record cannot be read after the dispatch', async () => {
    const send = async (command: { constructor: { name: string } }) => {
      if (command.constructor.name === 'GetCommand') throw new Error('DynamoDB failed');
      return store.table.client.send(command as never);
    };
    api = anApi({ ...store.table, client: { send } as never });
    expect(await api.submit({ body: body() })).toMatchObject({ status: 202, body: { status: 'queued' } });
  });

  test('creates a new video each time without an Idempotency-Key', async () => {
    const [one, other] = await Promise.all([api.submit({ body: body() }), api.submit({ body: body() })]);
    expect(one.body.id).not.toBe(other.body.id);
  });

  test('warns of a truncated prompt', async () => {
    const prompt = 'A cat. '.repeat(200);
    const response = await api.submit({ body: body({ input: { prompt, img_url: 'https://example.com/cat.png' } }) });
    expect(response).toMatchObject({
      status: 202,
      body: { input: { prompt }, warnings: [{ pointer: '/input/prompt', code: 'prompt_truncated' }] },
    });
  });

  test.each([
    [
      'base64, as for binary media types',
      (text: string) => ({ body: Buffer.from(text).toString('base64'), isBase64Encoded: true }),
    ],
    ['text after a byte order mark', (text: string) => ({ body: `\ufeff${text}` })],
    [
      'base64 after a byte order mark',
      (text: string) => ({ body: Buffer.from(`\ufeff${text}`).toString('base64'), isBase64Encoded: true }),
    ],
    ['any content type', (text: string) => ({ body: text, headers: { 'content-type': 'text/plain' } })],
    ['no headers at all', (text: string) => ({ body: text, headers: null, multiValueHeaders: null })],
  ])('may arrive as %s', async (_, event) => {
    const text = JSON.stringify(body({ input: { prompt: '猫 🐈', img_url: 'https://example.com/cat.png' } }));
    const response = await api.submit({ ...aRequest({}), ...event(text) } as Parameters<typeof api.submit>[0]);
    expect(response).toMatchObject({ status: 202, body: { input: { prompt: '猫 🐈' } } });
  });
});

describe('an inline image', () => {
  const inline = (img_url: string) => body({ input: { prompt: 'A cat runs', img_url } });

  test('is stored under the id of the video, and the record names its key', async () => {
    const image = png(400, 380);
    const { status, body: video } = await api.submit({ body: inline(dataUrl(image)) });
    expect(status).toBe(202);
    const [key, { bytes }] = [...api.objects][0]!;
    expect(key).toMatch(new RegExp(`^inputs/${video.id}/`));
    expect(Buffer.compare(bytes, image)).toBe(0);
    const record = (await readVideo(store.table, video.id))!;
    expect(record.input.media).toMatchObject([{ type: 'first_frame', url: `s3://uploads/${key}` }]);
    expect(fileOf(record)).toMatchObject({
      bucket: 'uploads',
      key,
      version_id: 'v1',
      content_type: 'image/png',
      bytes: image.length,
      width: 400,
      height: 380,
    });
    expect(JSON.stringify(video)).not.toContain('base64');
  });

  test('gets the content type of its bytes, not of its label', async () => {
    const { body: video } = await api.submit({ body: inline(dataUrl(png(400, 400), 'image/jpeg')) });
    expect(fileOf(video)).toMatchObject({ content_type: 'image/png' });
  });

  test('over 4 MiB answers 413 and suggests POST /uploads', async () => {
    const response = await api.submit({
      body: inline(dataUrl(Buffer.concat([png(400, 400), Buffer.alloc(4 * 1024 * 1024)], 4 * 1024 * 1024 + 1))),
    });
    expectProblem(response, 413, 'image_too_large');
    expect(response.body).toMatchObject({
      detail: expect.stringMatching(/4194304 bytes.*4194305.*POST \/uploads/),
      errors: [{ pointer: '/input/img_url', code: 'image_too_large' }],
    });
    expect(api.objects.size).toBe(0);
  });

  test.each([
    ['10 pixels', dataUrl(png(10, 10)), 'image_dimensions'],
    ['an alpha channel', dataUrl(png(400, 400, { colorType: 6 })), 'image_has_alpha'],
    ['a truncated header', dataUrl(png(400, 400).subarray(0, 20)), 'image_unreadable'],
    ['a text inside', dataUrl(Buffer.from('not an image')), 'unsupported_image_type'],
    ['nothing inside', 'data:image/png;base64,', 'image_empty'],
    ['broken base64', 'data:image/png;base64,%%%%', 'invalid_data_url'],
    ['no base64', 'data:image/png,hello', 'invalid_data_url'],
    ['the type of a PDF', dataUrl(Buffer.from('%PDF'), 'application/pdf'), 'unsupported_image_type'],
  ])('with %s is refused and not stored', async (_, img_url, code) => {
    const response = await api.submit({ body: inline(img_url) });
    expectProblem(response, 400, 'invalid_request');
    expect(response.body.errors).toEqual([{ pointer: '/input/img_url', code, message: expect.any(String) }]);
    expect(response.body.detail).toContain(response.body.errors[0].message);
    expect(api.objects.size).toBe(0);
  });

  test('that cannot be stored answers 500 without details and creates no record', async () => {
    api = anApi(store.table, {
      s3: { send: () => Promise.reject(new Error('AccessDenied at arn:aws:s3:::uploads')) },
    });
    const response = await api.submit({
      body: inline(dataUrl(png(400, 400))),
      headers: { 'Idempotency-Key': 'never-stored' },
    });
    expect(response).toMatchObject({ status: 500, body: { code: 'internal_error', request_id: 'request-1' } });
    expect(JSON.stringify(response)).not.toContain('arn:');
    expect(api.unexpectedErrors).toHaveLength(1);
  });
});

describe('an invalid request', () => {
  const input = { prompt: 'A cat runs', img_url: 'https://example.com/cat.png' };

  test.each<[string, unknown, string, string]>([
    ['no model', { input }, '/model', 'missing'],
    ['an unknown model', body({ model: 'wan9' }), '/model', 'unknown_model'],
    ['a model of the wrong type', body({ model: ['wan2.2-i2v-plus'] }), '/model', 'wrong_type'],
    ['a model named like a built-in', body({ model: '__proto__' }), '/model', 'unknown_model'],
    [
      'a model that is not offered',
      { model: 'wan3.0-video', input: { prompt: 'A cat' } },
      '/model',
      'model_not_offered',
    ],
    ['no input', { model: 'wan2.2-i2v-plus' }, '/input', 'missing'],
    ['null for input', body({ input: null }), '/input', 'wrong_type'],
    ['no image', body({ input: { prompt: 'A cat' } }), '/input/img_url', 'missing'],
    ['a number for an image', body({ input: { img_url: 7 } }), '/input/img_url', 'wrong_type'],
    ['a path for an image', body({ input: { img_url: '/etc/passwd' } }), '/input/img_url', 'invalid_url'],
    ['a file: URL', body({ input: { img_url: 'file:///etc/passwd' } }), '/input/img_url', 'unsupported_url_scheme'],
    [
      "another's s3:// URL",
      body({ input: { img_url: 's3://uploads/inputs/x' } }),
      '/input/img_url',
      'upload_not_found',
    ],
    [
      'a private address',
      body({ input: { img_url: 'http://169.254.169.254/latest' } }),
      '/input/img_url',
      'private_url',
    ],
    ['a prompt of a wrong type', body({ input: { ...input, prompt: {} } }), '/input/prompt', 'wrong_type'],
    [
      'a prompt too long',
      body({ input: { ...input, prompt: 'x'.repeat(20_001) } }),
      '/input/prompt',
      'prompt_too_long',
    ],
    ['half a character', body({ input: { ...input, prompt: 'cat \ud83d' } }), '/input/prompt', 'broken_text'],
    [
      'audio for a model without audio',
      body({ input: { ...input, audio_url: 'https://example.com/a.mp3' } }),
      '/input/audio_url',
      'media_not_supported',
    ],
    ['an unknown field of input', body({ input: { ...input, image: 'x' } }), '/input/image', 'unknown_field'],
    ['an unknown field', body({ 'a/b~c': 1 }), '/a~1b~0c', 'unknown_field'],
    ['null for parameters', body({ parameters: null }), '/parameters', 'wrong_type'],
    [
      'a tier the model lacks',
      body({ parameters: { resolution: '720P' } }),
      '/parameters/resolution',
      'unsupported_resolution',
    ],
    [
      'a duration the model lacks',
      body({ parameters: { duration: 10 } }),
      '/parameters/duration',
      'unsupported_duration',
    ],
    ['a duration as text', body({ parameters: { duration: '5' } }), '/parameters/duration', 'wrong_type'],
    ['a seed below zero', body({ parameters: { seed: -1 } }), '/parameters/seed', 'out_of_range'],
    ['a flag as text', body({ parameters: { watermark: 'yes' } }), '/parameters/watermark', 'wrong_type'],
    ['metadata that is a list', body({ metadata: ['x'] }), '/metadata', 'wrong_type'],
    ['metadata over 2 KB', body({ metadata: { a: 'x'.repeat(2048) } }), '/metadata', 'metadata_too_large'],
    ['a private webhook', body({ webhook_url: 'https://10.0.0.1/' }), '/webhook_url', 'private_url'],
    ['events without a webhook', body({ webhook_events: 'all' }), '/webhook_events', 'webhook_url_missing'],
    ['a list', [], '', 'wrong_type'],
    ['null', 'null', '', 'wrong_type'],
    ['a text', '"wan2.2-i2v-plus"', '', 'wrong_type'],
    [
      'a field that would be a prototype',
      '{"__proto__": {"model": "wan2.2-i2v-plus"}, "model": "wan2.2-i2v-plus", "input": {"img_url": "https://example.com/cat.png"}}',
      '/__proto__',
      'unknown_field',
    ],
    [
      'a prototype in metadata',
      '{"metadata": {"__proto__": "x"}, "model": "wan2.2-i2v-plus", "input": {"img_url": "https://example.com/cat.png"}}',
      '/metadata/__proto__',
      'invalid_name',
    ],
  ])('answers %s with 400 and a pointer to it', async (_, sent, pointer, code) => {
    const response = await api.submit({ body: sent === null ? 'null' : sent });
    expectProblem(response, 400, 'invalid_request');
    expect(response.body.errors).toEqual([{ pointer, code, message: expect.any(String) }]);
    expect(response.body.detail).toContain(response.body.errors[0].message);
  });

  test('gets all issues in one response', async () => {
    const response = await api.submit({
      body: { model: 'wan9', input: {}, parameters: { duration: '5' }, webhook_url: 'http://example.com/hook' },
    });
    expectProblem(response, 400, 'invalid_request');
    const pointers = response.body.errors.map(({ pointer }: { pointer: string }) => pointer).sort();
    expect(pointers).toEqual(['/input/img_url', '/model', '/parameters/duration', '/webhook_url']);
  });

  test.each([
    ['nothing', null, /empty/],
    ['white space', ' \n', /empty/],
    ['broken JSON', '{"model": ', /position|truncated/],
    ['a form', 'model=wan2.2-i2v-plus', /JSON object with "model"/],
    ['two documents', '{}{}', /position 2/],
  ])('answers %s with 400 and the reason', async (_, text, detail) => {
    const response = await api.submit({ ...aRequest({}), body: text });
    expectProblem(response, 400, 'invalid_json');
    expect(response.body.detail).toMatch(detail);
  });

  test('answers invalid UTF-8 with 400', async () => {
    const latin1 = Buffer.from(JSON.stringify(body({ metadata: { a: 'café' } })), 'latin1').toString('base64');
    const response = await api.submit({ ...aRequest({}), body: latin1, isBase64Encoded: true });
    expectProblem(response, 400, 'invalid_json');
    expect(response.body.detail).toContain('UTF-8');
  });

  test('never gets its own text back', async () => {
    for (const text of ['secret-text', '{"model": secret-text', JSON.stringify(body({ model: 'secret-text' }))]) {
      expect(JSON.stringify(await api.submit({ body: text }))).not.toContain('secret-text');
    }
  });

  test.each([
    ['brackets very deep', '['.repeat(200_000)],
    ['a list very deep', '['.repeat(200_000) + ']'.repeat(200_000)],
    [
      'a deep prompt',
      `{"model":"wan2.2-i2v-plus","input":{"img_url":"https://example.com/a.png","prompt":${'['.repeat(200_000)}${']'.repeat(200_000)}}}`,
    ],
    [
      'deep metadata',
      `{"model":"wan2.2-i2v-plus","input":{"img_url":"https://example.com/a.png"},"metadata":{"a":${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}}}`,
    ],
    ['twenty thousand unknown fields', `{${Array.from({ length: 20_000 }, (_, index) => `"f${index}":1`).join(',')}}`],
    ['five million letters', JSON.stringify('x'.repeat(5_000_000))],
  ])('answers %s with a small 400', async (_, text) => {
    const response = await api.submit({ body: text });
    expect(response.status).toBe(400);
    expect(api.unexpectedErrors).toEqual([]);
    expect(JSON.stringify(response.body).length).toBeLessThan(50_000);
  });
});

test('answers 401 without a caller from the authorizer', async () => {
  const owners = [
    undefined,
    null,
    {},
    { owner: '', key_id: 'k' },
    { owner: 7, key_id: 'k' },
    { owner: 'alice' },
    { owner: 'alice', key_id: '' },
    { key_id: 'k' },
  ];
  for (const authorizer of owners) {
    const event = aRequest({ body: body() });
    const requestContext = { requestId: 'request-1', ...(authorizer === undefined ? {} : { authorizer }) };
    expectProblem(await api.submit({ ...event, requestContext }), 401, 'unauthorized');
  }
});

describe('a model that is retired', () => {
  const model = 'wan2.2-i2v-plus';
  const changes = { [model]: { retires_at: '2026-02-20', replaced_by: 'wan2.7-i2v' } };
  const submitAt = (day: string) => {
    const deployment = { ...aDeployment(), changes, now: Date.parse(day) };
    return anApi(store.table, { deployment }).submit({ body: body({ model }) });
  };

  test('within 30 days is accepted with a warning and the header Sunset', async () => {
    const { status, headers, body: video } = await submitAt('2026-01-31');
    expect(status).toBe(202);
    expect(headers.sunset).toBe('Fri, 20 Feb 2026 00:00:00 GMT');
    expect(video.warnings).toMatchObject([{ pointer: '/model', code: 'model_retires_soon' }]);
  });

  test('later is accepted without either', async () => {
    const { headers, body: video } = await submitAt('2026-01-01');
    expect([headers.sunset, video.warnings]).toEqual([undefined, []]);
  });

  test('already is a 400 that names the successor', async () => {
    const { status, body: problem } = await submitAt('2026-02-20');
    expect(status).toBe(400);
    expect(problem.errors).toMatchObject([{ code: 'model_retired', message: expect.stringContaining('wan2.7-i2v') }]);
  });
});

test('the video of an added model records the family, and does not show it', async () => {
  const prices = { currency: 'USD', as_of: '2026-01-01', per_second: { '480P': 0.1, '1080P': 0.2 } } as const;
  const changes = { 'wan9.9-i2v': { family: 'wan2.2-i2v-plus' as const, prices } };
  const api = anApi(store.table, { deployment: { ...aDeployment(), changes } });
  const { status, body: video } = await api.submit({ body: body({ model: 'wan9.9-i2v' }) });
  expect([status, video.model, video.family]).toEqual([202, 'wan9.9-i2v', undefined]);
  expect(await readVideo(store.table, video.id)).toMatchObject({ model: 'wan9.9-i2v', family: 'wan2.2-i2v-plus' });
});
