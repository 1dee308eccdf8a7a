import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { fileRoute } from '../../../../functions/api/dashscope/file-link.ts';
import { errorBody } from '../../../../functions/api/dashscope/schemas.ts';
import { replaceWithTombstone } from '../../../../functions/video/deletion.ts';
import { readVideo } from '../../../../functions/video/store.ts';
import { aDashscope, aDashscopeRequest, succeed } from './support.ts';
import { taskRequests } from './task-requests.ts';

const { table, use, dashscope, turnTo, create, query } = taskRequests();
const nextDay = '2025-09-26T03:07:29.000Z';

let id: string;
let link: string;
beforeEach(async () => {
  id = await create();
  await succeed(table(), id);
  link = (await query(id)).output.video_url;
});

/** Fetches a link without a key, as API Gateway passes it to the function. */
async function open(file: string, httpMethod = 'GET', { handle } = dashscope()) {
  const request = aDashscopeRequest({ path: `files/${file}`, method: httpMethod });
  const { authorizer: _, ...requestContext } = request.requestContext;
  const response = await handle({ ...request, resource: fileRoute, pathParameters: { file }, requestContext });
  return {
    status: response.statusCode,
    headers: response.headers ?? {},
    body: response.body && JSON.parse(response.body),
  };
}
const fileOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1);

describe('the link of a succeeded task', () => {
  test('redirects to a fresh presigned link without a key', async () => {
    expect(await open(fileOf(link))).toEqual({
      status: 302,
      headers: {
        location: `https://firstframe-videos.s3.example/${id}/1-1.mp4?file=${id}.mp4&for=GET`,
        'cache-control': 'no-store',
      },
      body: '',
    });
  });

  test('redirects a HEAD to a link for HEAD, since a presigned link is for one method', async () => {
    expect(await open(fileOf(link), 'HEAD')).toMatchObject({
      status: 302,
      headers: { location: expect.stringMatching(/&for=HEAD$/) },
    });
  });

  test('is valid for 24 hours, and each query returns one that is valid for 24 hours', async () => {
    turnTo('2025-09-26T03:07:28.999Z');
    expect((await open(fileOf(link))).status).toBe(302);
    const later = (await query(id)).output.video_url;
    turnTo(nextDay);
    expect(await open(fileOf(link))).toMatchObject({
      status: 403,
      body: { code: 'AccessDenied', message: 'The link has expired. Query the task again to get a new video_url.' },
    });
    expect((await open(fileOf(later))).status).toBe(302);
    turnTo('2100-01-01T00:00:00Z');
    expect((await open(fileOf((await query(id)).output.video_url))).status).toBe(302);
  });

  test('is a 404 once the video is deleted', async () => {
    await replaceWithTombstone(table(), (await readVideo(table(), id))!);
    const response = await open(fileOf(link));
    expect(response).toMatchObject({ status: 404, body: { code: 'NotFound' } });
    errorBody.parse(response.body);
  });

  test('has no owner, key, bucket or id in clear text', () => {
    expect(link).not.toContain(id);
    expect(link).not.toMatch(/alice|videos|1-1|Signature/);
  });

  test('is at the address of the request', async () => {
    const request = aDashscopeRequest({ path: `tasks/${id}/`, headers: { 'X-Forwarded-Proto': 'https' } });
    const requestContext = {
      ...request.requestContext,
      domainName: 'wan.example.com',
      path: `/base/api/v1/tasks/${id}/`,
    };
    const { body } = await dashscope().handle({ ...request, requestContext });
    expect(JSON.parse(body).output.video_url).toMatch(
      /^https:\/\/wan\.example\.com\/base\/api\/v1\/files\/[\w-]+\.mp4$/,
    );
  });
});

describe('is refused without a read of the table', () => {
  function countingReads() {
    let reads = 0;
    const { client } = table();
    const send = (command: never) => {
      reads += 1;
      return client.send(command);
    };
    const watched = aDashscope({ ...table(), client: { send } as typeof client });
    return { reads: () => reads, refuse: (file: string) => open(file, 'GET', watched) };
  }

  test('a token with any other character', async () => {
    const { reads, refuse } = countingReads();
    const token = fileOf(link).replace('.mp4', '');
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...letters), async (at, letter) => {
        fc.pre(token[at] !== letter);
        const response = await refuse(`${token.slice(0, at)}${letter}${token.slice(at + 1)}.mp4`);
        expect(response).toMatchObject({ status: 403, body: { code: 'AccessDenied' } });
        expect(response.body.message).toBe('The link is invalid. Query the task again to get a new video_url.');
      }),
      { numRuns: 300 },
    );
    expect(reads()).toBe(0);
  });

  test('any other text', async () => {
    const { reads, refuse } = countingReads();
    const token = fileOf(link).replace('.mp4', '');
    const others = [
      '',
      '.mp4',
      token,
      `${token}.mov`,
      `${token}=.mp4`,
      `${token}A.mp4`,
      `${token.slice(0, -1)}.mp4`,
      `${id}.mp4`,
    ];
    for (const file of [...others, 'a'.repeat(5000), `${'A'.repeat(70)}.mp4`, '../tasks.mp4', `${token}.mp4.mp4`])
      expect(await refuse(file)).toMatchObject({ status: 403, body: { code: 'AccessDenied' } });
    expect(reads()).toBe(0);
  });

  test('a token that another deployment signed', async () => {
    const own = use(table(), { fileKey: async () => 'another key' });
    expect(await open(fileOf(link), 'GET', own)).toMatchObject({ status: 403 });
  });
});

test('no link is signed or accepted while the secret is empty', async () => {
  const unset = use(table(), { fileKey: async () => '' });
  expect((await unset.call({ path: `tasks/${id}` })).status).toBe(500);
  expect((await open(fileOf(link), 'GET', unset)).status).toBe(500);
});
