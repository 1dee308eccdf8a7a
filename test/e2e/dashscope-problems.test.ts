import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ReferenceCode, referenceCodes } from '../../functions/api/dashscope/errors.ts';
import { queryTaskResponseBody, uploadPolicyResponseBody } from '../../functions/api/dashscope/schemas.ts';
import type { Code } from '../../functions/api/openapi/problem-codes.ts';
import { type Answer, type Endpoint, openEndpoint, openLocal } from '../support/endpoint.ts';
import { png, pngUrl } from '../support/png.ts';
import { aRequest } from '../support/requests.ts';

/* Every error of the DashScope routes, each provoked by a request. */

let api: Endpoint;
/** Has a budget for one video, which stays PENDING during these tests. Wan is closed once the video is running. */
let own: Awaited<ReturnType<typeof openLocal>>;
let pending: string;
beforeAll(async () => {
  [api, own] = await Promise.all([
    openEndpoint(),
    openLocal({ monthlySpendingLimit: 0.4, apiThrottle: { rate: 40, burst: 80 } }),
  ]);
  pending = await created(own.endpoint, '[[pending=600]] A cat');
  await own.endpoint.until(pending, ({ status }) => status === 'running');
  await own.stack.wan!.close();
});
afterAll(async () => {
  await own?.endpoint.close();
  await api?.close();
});

const submit = '/api/v1/services/aigc/video-generation/video-synthesis';
const asynchronous = { 'x-dashscope-async': 'enable' };
const post = (body: unknown, headers: Record<string, string> = asynchronous) => api.post(submit, body, headers);
const withInput = (input: object) => post(aRequest('A cat', { input: { prompt: 'A cat', ...input } }));

async function created(endpoint: Endpoint, prompt: string): Promise<string> {
  const { status, body } = await endpoint.post(submit, aRequest(prompt), asynchronous);
  expect([status, body]).toEqual([200, expect.anything()]);
  return (body.output as { task_id: string }).task_id;
}

/** Uploads a file with a policy. */
async function upload({ file = png(400, 400), key = '' }): Promise<Answer> {
  const { body } = await api.call('/api/v1/uploads?action=getPolicy&model=wan2.5-i2v-preview');
  const { upload_dir, upload_host } = uploadPolicyResponseBody.parse(body).data;
  const form = new FormData();
  form.set('key', key || `${upload_dir}/cat.png`);
  form.set('file', new Blob([new Uint8Array(file)]), 'cat.png');
  const response = await fetch(upload_host, { method: 'POST', body: form });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] };
}

const invalidKey = { headers: { authorization: 'Bearer invalid' } };
const large = Buffer.alloc(4 * 1024 * 1024 + 1);

const errors: [code: ReferenceCode | Code, status: number, what: string, ask: () => Promise<Answer>][] = [
  ['BadRequest.EmptyModel', 400, 'no model', () => post({ input: aRequest().input })],
  ['BadRequest.EmptyInput', 400, 'no input', () => post({ model: 'wan2.5-i2v-preview' })],
  ['BadRequest.IllegalInput', 400, 'an input that is not an object', () => post(aRequest('', { input: 'A cat' }))],
  [
    'BadRequest.TooLarge',
    400,
    'a large inline image',
    () => withInput({ img_url: `data:image/png;base64,${large.toString('base64')}` }),
  ],
  ['request_too_large', 413, 'a body over the limit of API Gateway', () => post('x'.repeat(10 * 1024 * 1024 + 1))],
  ['BadRequest.TooLarge', 400, 'the upload of a large file', () => upload({ file: large })],
  ['InvalidURL', 400, 'an image that is too small', () => withInput({ img_url: pngUrl(9, 9) })],
  ['InvalidParameter', 400, 'incomplete JSON', () => post('{"model": ')],
  ['InvalidParameter', 400, 'no image', () => withInput({})],
  ['InvalidParameter', 400, 'a private address', () => withInput({ img_url: 'http://10.0.0.1/cat.png' })],
  [
    'InvalidParameter',
    400,
    "a file in Wan's storage",
    () => withInput({ img_url: 'oss://dashscope-instant/x/cat.png' }),
  ],
  [
    'InvalidParameter',
    400,
    'a resolution that the model does not have',
    () => post(aRequest('A cat', { parameters: { resolution: '9K' } })),
  ],
  ['InvalidParameter', 400, 'an invalid page', () => api.call('/api/v1/tasks?page_no=0')],
  ['InvalidParameter', 400, 'a policy without a model', () => api.call('/api/v1/uploads?action=getPolicy')],
  ['InvalidParameter', 400, 'the upload of a text', () => upload({ file: Buffer.from('<html>') })],
  [
    'InvalidParameter.DataInspection',
    400,
    'a file that was never uploaded',
    () => withInput({ img_url: `oss://firstframe/${randomUUID()}/cat.png` }),
  ],
  [
    'UnsupportedOperation',
    400,
    'the cancellation of an unknown task',
    () => api.post(`/api/v1/tasks/${randomUUID()}/cancel`),
  ],
  [
    'Arrearage',
    400,
    'a video over the spending limit',
    () => own.endpoint.post(submit, aRequest('One more'), asynchronous),
  ],
  ['unauthorized', 401, 'a wrong key', () => api.call('/api/v1/tasks', invalidKey)],
  ['unauthorized', 401, 'a wrong upload token', () => api.post('/api/v1/uploads?upload_token=invalid')],
  ['AccessDenied', 403, 'a synchronous call', () => post(aRequest(), {})],
  ['AccessDenied', 403, 'an upload to another directory', () => upload({ key: `firstframe/${randomUUID()}/cat.png` })],
  ['NotFound', 404, 'an unknown route', () => api.call('/api/v1/nothing')],
  ['MethodNotAllowed', 405, 'an unknown method', () => api.call('/api/v1/tasks', { method: 'DELETE' })],
  ['ModelNotFound', 404, 'an unknown model', () => post(aRequest('A cat', { model: 'wan9-i2v' }))],
  [
    'ModelNotFound',
    404,
    'a policy for an unknown model',
    () => api.call('/api/v1/uploads?action=getPolicy&model=wan9-i2v'),
  ],
  [
    'too_many_requests',
    429,
    'requests over the throttle of the stage',
    async () => {
      const responses = await Promise.all(Array.from({ length: 200 }, () => own.endpoint.call('/api/v1/tasks/x')));
      return responses.find(({ status }) => status === 429)!;
    },
  ],
  [
    'ModelUnavailable',
    503,
    'the cancellation of a task while Wan is unavailable',
    async () => {
      for (;;) {
        const response = await own.endpoint.post(`/api/v1/tasks/${pending}/cancel`);
        if (response.status !== 429) return response;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
  ],
];

test.each(errors)('%s (%i): %s', async (code, status, _, ask) => {
  const { body, headers, ...response } = await ask();
  expect({ code: body.code, status: response.status }).toEqual({ code, status });
  expect(body).toMatchObject({ message: expect.stringMatching(/\S/), request_id: expect.stringMatching(/\S/) });
  expect(headers.get('content-type')).toBe('application/json');
});

/** Wan's code of a failed task, and the code in our response: the same or a more general one. */
const failures: [code: ReferenceCode, ofWan: string][] = [
  ['DataInspectionFailed', 'DataInspectionFailed'],
  ['IPInfringementSuspect', 'IPInfringementSuspect'],
  ['InvalidParameter.DataInspection', 'InvalidParameter.DataInspection'],
  ['InvalidURL', 'InvalidURL'],
  ['InternalError', 'InternalError'],
  ['InternalError.Timeout', 'InternalError.Timeout'],
];

test.each(failures)('a failed task has the code %s when Wan returned %s', async (code, ofWan) => {
  const id = await created(api, `[[fail=${ofWan}]] A cat`);
  await api.finished(id);
  const { status, body } = await api.call(`/api/v1/tasks/${id}`);
  expect(status).toBe(200);
  const { output } = queryTaskResponseBody.parse(body);
  expect(output).toMatchObject({ task_status: 'FAILED', code, message: expect.stringMatching(/\S/) });
});

test('every code of the protocol is tested above', () => {
  const provoked = new Set([...errors, ...failures].map(([code]) => code));
  // The gateway rejects these requests before they reach the handler.
  const ofHandlerAlone: readonly ReferenceCode[] = ['InvalidApiKey', 'Throttling.RateQuota'];
  expect(referenceCodes.filter((code) => !provoked.has(code))).toEqual(ofHandlerAlone);
});
