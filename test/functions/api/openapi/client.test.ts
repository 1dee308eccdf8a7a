import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generateApi } from 'swagger-typescript-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import document from '../../../../functions/api/openapi/document.ts';
import { projectRoot } from '../../../../infra/synth/bundle.ts';

/** A typical program of an API user. Lines that must not compile are marked. */
const program = `
import { Api, type HttpResponse, type Problem, type Video } from './client.ts';

const api = new Api({ baseUrl: 'https://api.example.com/v1', baseApiParams: { headers: { authorization: 'Bearer key' } } });

export async function create(prompt: string): Promise<Video> {
  const { data: estimate } = await api.estimates.createEstimate({
    model: 'wan2.2-i2v-flash',
    input: { prompt, img_url: 'https://example.com/cat.png' },
  });
  const cost: number | undefined = estimate.estimated_cost?.amount;
  if (cost === undefined || cost > 1) throw new Error('Too expensive.');
  const { data: created } = await api.videos.createVideo(
    { model: 'wan2.2-i2v-flash', input: { prompt, img_url: 'https://example.com/cat.png' }, parameters: { duration: 5 } },
    { headers: { 'Idempotency-Key': 'a-key' } },
  );
  let video: Video = created;
  while (video.status === 'queued' || video.status === 'running') {
    ({ data: video } = await api.videos.getVideo(video.id, { wait: 25 }));
  }
  if (video.error) throw new Error(video.error.message + ' ' + video.error.hint + String(video.error.retryable));
  return video;
}

export async function cancel(id: string): Promise<string> {
  type Failure = Awaited<ReturnType<typeof api.videos.cancelVideo>>['error'];
  try {
    const { data } = await api.videos.cancelVideo(id);
    return data.timeline.map(({ status, at }) => status + ' ' + at).join();
  } catch (thrown) {
    const { status, error } = thrown as HttpResponse<never, Failure>;
    if (error?.code === 'video_is_running') return 'It will be billed: ' + error.detail;
    // @ts-expect-error no route returns this code
    if (error?.code === 'video_is_boring') return '';
    return status + ' ' + error?.title;
  }
}

export async function list(): Promise<string[]> {
  const { data } = await api.videos.listVideos({ status: 'succeeded', limit: 5 });
  const next: string | null = data.next_cursor;
  const problem: Problem['errors'] = [{ pointer: '/limit', code: 'invalid_value', message: 'x' }];
  return [...data.data.map((video) => video.video?.sha256 ?? ''), String(next), String(problem?.length)];
}

// @ts-expect-error a model is a text
void api.videos.createVideo({ model: 9, input: { img_url: 'https://example.com/cat.png' } });
// @ts-expect-error unknown type of media
void api.videos.createVideo({ model: 'wan2.7-i2v', input: { media: [{ type: 'middle_frame', url: 'https://example.com/a.png' }] } });
// @ts-expect-error unknown status
void api.videos.listVideos({ status: 'done' });
`;

const configuration = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    target: 'es2022',
    module: 'preserve',
    moduleResolution: 'bundler',
    lib: ['es2022', 'dom', 'dom.iterable'],
    types: [],
    allowImportingTsExtensions: true,
  },
};

let directory: string;
beforeAll(async () => {
  await mkdir(join(projectRoot, '.build'), { recursive: true });
  directory = await mkdtemp(join(projectRoot, '.build', 'client-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('generates a client that compiles and has the types of requests, responses and problems', async () => {
  const { files } = await generateApi({
    spec: JSON.parse(JSON.stringify(document)),
    output: false,
    httpClientType: 'fetch',
    silent: true,
  });
  await writeFile(join(directory, 'client.ts'), files[0]!.fileContent);
  await writeFile(join(directory, 'program.ts'), program);
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(configuration));
  const compiler = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = await promisify(execFile)(process.execPath, [compiler, '-p', directory]).catch((error) => error);
  expect(stdout).toBe('');
}, 60_000);
