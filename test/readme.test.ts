import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSettings } from '../local/settings.ts';
import { ffmpegFile } from './functions/media/support.ts';
import { type Endpoint, endpoint, localS3, sharedStack } from './support/endpoint.ts';
import { probe } from './support/probe.ts';
import { serveStage } from './support/stage.ts';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  ...readdirSync(path.join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

/** A block of code that a reader may run. */
interface Block {
  file: string;
  code: string;
}
const blocks: Block[] = documents.flatMap((file) =>
  [...read(file).matchAll(/^```(?:sh|bash|shell|js|ts|python)\n([\s\S]*?)^```/gm)].map(([, code]) => ({
    file,
    code: code!,
  })),
);

/** How a block is checked: by a test below, or where its command needs what a test on this machine lacks, by other means. */
type Handling = { file: string; with: string } & (
  | { run: (code: string) => Promise<void>; needs?: never; checked_by?: never }
  | { needs: string; checked_by: string; run?: never }
);

let api: Endpoint;
let outputs: Record<string, string>;
let folder = '';
let tools: string;
/** What a reader sets in the shell on the way: by hand, or by a block before. */
const variables: Record<string, string> = {};

async function shell(code: string): Promise<string> {
  const env = { ...process.env, ...variables, PATH: `${tools}:${process.env.PATH}` };
  return (await promisify(execFile)('bash', ['-euc', onThisStack(code)], { cwd: folder, env })).stdout;
}
let onThisStack: (code: string) => string;

async function node(name: string, code: string): Promise<string> {
  await writeFile(path.join(folder, name), onThisStack(code));
  return (await promisify(execFile)(process.execPath, [name], { cwd: folder })).stdout;
}

/** The content of an object below `drop/`, once it is written. */
async function written(key: string): Promise<Record<string, unknown>> {
  const object = new GetObjectCommand({ Bucket: api.uploads_bucket, Key: `drop/${key}` });
  for (;;) {
    const found = await api.s3.send(object).catch(() => undefined);
    if (found) return JSON.parse(await found.Body!.transformToString()) as Record<string, unknown>;
    await sleep(250);
  }
}
/** What a block prints that copies such an object to the terminal. */
async function result(code: string): Promise<Record<string, unknown>> {
  await written(/drop\/(\S+)/.exec(code)![1]!);
  return JSON.parse(await shell(code)) as Record<string, unknown>;
}

/** The variables of the guides, each with the output of the stack that it is set to. */
const variableOutputs = {
  API_URL: 'ApiUrl',
  TABLE_NAME: 'TableName',
  UPLOADS_BUCKET: 'UploadsBucketName',
  VIDEOS_BUCKET: 'VideosBucketName',
  WAN_SECRET_ARN: 'WanSecretArn',
  STATE_MACHINE_ARN: 'StateMachineArn',
};
/** The API below its stage, at a URL in the form of the output. */
let stage: Awaited<ReturnType<typeof serveStage>>;

const exportAws = async (code: string): Promise<void> => {
  const printed = await shell(`${code}\nenv | grep ^AWS_`);
  for (const line of printed.trim().split('\n')) {
    const [name = '', value = ''] = line.split(/=(.*)/s);
    variables[name] = value;
  }
  // The SDK of the operator's commands, and of the stand-in, has another name for it than the CLI.
  variables.AWS_REGION = variables.AWS_DEFAULT_REGION!;
  expect(variables.AWS_ENDPOINT_URL).toBe(onThisStack('http://127.0.0.1:4402'));
};
const dropOne = (code: string) => shell(code).then(() => undefined);
const oneResult = async (code: string) =>
  expect(await result(code)).toMatchObject({
    status: 'succeeded',
    parameters: { resolution: '480P' },
    settings: { '/input/prompt': 'metadata' },
  });

const ci = { needs: 'a clean checkout', checked_by: '.ci/run' };
const handlings: Handling[] = [
  { file: 'README.md', with: 'npm ci\nnpm run demo', ...ci },
  { file: 'README.md', with: '\nnpm start', needs: 'the ports 4400 to 4402', checked_by: 'test/local/start.test.ts' },
  {
    file: 'README.md',
    with: 'DASHSCOPE_API_KEY=sk-… npm start',
    run: async (code) => {
      const [, key] = /^DASHSCOPE_API_KEY=(\S+) npm start$/.exec(code.trim())!;
      const DASHSCOPE_API_KEY = key!.replace('…', '1');
      expect(readSettings({ DASHSCOPE_API_KEY }).wan).toEqual({ kind: 'real', api_key: 'sk-1' });
    },
  },
  {
    file: 'README.md',
    with: 'ID=$(curl',
    run: async (code) => {
      const [id, view] = (
        await shell(`${code.replace('ID=$(curl', 'export ID=$(curl')}\n`.replace(/^\)$/m, ')\necho "$ID"'))
      ).split(/\n(.*)/s);
      variables.ID = id!;
      expect(JSON.parse(view!)).toEqual({ status: expect.stringMatching(/^[a-z]+$/), progress: expect.any(Number) });
      expect(await api.finished(id!)).toMatchObject({ status: 'succeeded' });
    },
  },
  {
    file: 'README.md',
    with: '-L -o video.mp4',
    run: async (code) => {
      await shell(code);
      const file = path.join(folder, 'video.mp4');
      expect((await stat(file)).size).toBeGreaterThan(10_000);
      expect(await probe(file)).toEqual({ codec: 'h264', width: 720, height: 544, fps: 30, seconds: 5 });
    },
  },
  {
    file: 'README.md',
    with: "post('/uploads'",
    run: async (code) => {
      const id = (await node('upload.mjs', code)).trim();
      expect(await api.finished(id)).toMatchObject({
        status: 'succeeded',
        input: { media: [{ file: { width: 1200, height: 900 } }] },
      });
      const wrong = node('wrong.mjs', code.replace('image/jpeg', 'image/gif'));
      await expect(wrong).rejects.toThrow(/Error: .*content_type: .*image\/jpeg/);
    },
  },
  {
    file: 'README.md',
    with: 'VideoSynthesis.call',
    needs: 'Python and the package dashscope',
    checked_by: 'test/python-sdk/run.ts',
  },
  {
    file: 'README.md',
    with: 'createAlibaba',
    run: async (code) => {
      await rm(path.join(folder, 'video.mp4'), { force: true });
      await node('ai.mjs', code);
      expect(await probe(path.join(folder, 'video.mp4'))).toMatchObject({ codec: 'h264', seconds: 5 });
    },
  },
  {
    file: 'README.md',
    with: 'export AWS_ACCESS_KEY_ID',
    run: async (code) => {
      const [exports = '', copy = ''] = code.split(/\n(?=aws )/);
      await exportAws(exports);
      await dropOne(copy);
    },
  },
  { file: 'README.md', with: 'photo.jpg.result.json -', run: oneResult },
  { file: 'README.md', with: 'npx cdk bootstrap', needs: 'AWS', checked_by: 'test/deploy/deploy.proof.ts' },
  {
    // The secret needs AWS; the key and the first call run against the local stack, with its outputs.
    file: 'README.md',
    with: 'put-secret-value',
    run: async (code) => {
      const [secret, create, call, ...more] = code.trim().split('\n');
      expect(more).toEqual([]);
      expect(secret).toMatch(/^aws secretsmanager put-secret-value --secret-id "\$WAN_SECRET_ARN" --secret-string /);
      Object.assign(
        variables,
        Object.fromEntries(Object.entries(variableOutputs).map(([variable, output]) => [variable, outputs[output]])),
        { API_URL: stage.url },
      );
      variables.KEY = /ff_\S+/.exec(await shell(`cd '${root}' && ${create}`))![0];
      expect(JSON.parse(await shell(call!))).toEqual({ data: [], next_cursor: null });
      // With a slash too many, the response names it.
      for (const path of ['/videos', '/api/v1/tasks'])
        expect(JSON.parse(await shell(call!.replace('}videos', `}${path}`)))).toMatchObject({
          status: 404,
          detail: expect.stringContaining('double slash'),
        });
    },
  },
  {
    file: 'docs/deploy.md',
    with: 'API_URL=$(output ApiUrl)',
    run: async (code) => {
      // Only CloudFormation knows the outputs of a deployment; each name must be one of them.
      const named = [...code.matchAll(/^(\w+)=\$\(output (\w+)\)$/gm)];
      expect(Object.fromEntries(named.map(([, variable, output]) => [variable, output]))).toEqual(variableOutputs);
      expect(Object.keys(outputs)).toEqual(expect.arrayContaining(Object.values(variableOutputs)));
    },
  },
  {
    file: 'docs/deploy.md',
    with: '"prompt": "The cat wakes up"',
    run: async (code) => {
      const [, health, video] = /^(\{[^}]*\})\s*(\{.*\})/s.exec(await shell(code))!;
      expect(JSON.parse(health!)).toEqual({ status: 'ok' });
      let { id, status } = JSON.parse(video!) as { id: string; status: string };
      const read = code.split('\n').find((line) => line.includes('?wait=25'))!;
      while (status === 'queued' || status === 'submitting' || status === 'running' || status === 'archiving')
        ({ status } = JSON.parse(await shell(`ID=${id}\n${read}`)) as { status: string });
      expect(status).toBe('succeeded');
      expect(await written('first.jpg.result.json')).toMatchObject({ status: 'succeeded' });
    },
  },
  ...(
    [
      ['request-service-quota-increase', 'test/infra/operations/preflight.test.ts'],
      ['npm run smoke\n', 'test/infra/operations/smoke.test.ts'],
      ['restore-table-to-point-in-time', 'test/infra/storage/storage.test.ts'],
      ['aws events disable-rule', 'test/infra/template.test.ts'],
      ['list-object-versions', 'test/local/s3/listings.test.ts'],
      ['npx cdk destroy', 'test/infra/workflow/workflow.test.ts'],
      ['delete-stack', 'test/infra/storage/storage.test.ts'],
    ] as const
  ).map(([command, checked_by]) => ({ file: 'docs/deploy.md', with: command, needs: 'AWS', checked_by })),
  {
    file: 'docs/webhooks.md',
    with: "from 'standardwebhooks'",
    needs: 'a webhook',
    checked_by: 'test/functions/events/receiver.test.ts',
  },
  {
    file: 'docs/webhooks.md',
    with: 'from standardwebhooks',
    needs: 'a package from PyPI',
    checked_by: 'test/python-sdk/webhooks.ts',
  },
  ...['TOPIC=$(aws sns create-topic', 'QUEUE_URL=$(aws sqs', 'CONNECTION=$(aws events'].map((command) => ({
    file: 'docs/events.md',
    with: command,
    needs: 'AWS',
    checked_by: 'test/events-guide.test.ts',
  })),

  { file: 'CONTRIBUTING.md', with: 'npm run check\nnpm test', ...ci },
  {
    file: 'CONTRIBUTING.md',
    with: 'record-console.ts',
    needs: 'a minute and a browser',
    checked_by: 'test/support/record-console.ts',
  },

  {
    file: 'docs/api.md',
    with: 'swagger-typescript-api',
    needs: 'the registry, unless the package is installed',
    checked_by: 'test/functions/api/openapi/client.test.ts',
  },
  {
    file: 'docs/api.md',
    with: '"negative_prompt"',
    run: async (code) => {
      const { id, warnings } = JSON.parse(await shell(code)) as { id: string; warnings: unknown[] };
      variables.ID = id;
      expect(warnings).toEqual([]);
      expect(await api.finished(id)).toMatchObject({ status: 'succeeded', metadata: { project: 'winter' } });
    },
  },
  {
    file: 'docs/api.md',
    with: '$ID?wait=25',
    run: async (code) => expect(JSON.parse(await shell(code))).toMatchObject({ id: variables.ID, status: 'succeeded' }),
  },
  {
    file: 'docs/api.md',
    with: 'status=succeeded',
    run: async (code) => {
      const { data } = JSON.parse(await shell(code)) as { data: { id: string; status: string }[] };
      expect(data.map(({ id }) => id)).toContain(variables.ID);
    },
  },
  {
    file: 'docs/api.md',
    with: '/usage',
    run: async (code) => expect(JSON.parse(await shell(code))).toMatchObject({ currency: 'USD' }),
  },

  {
    file: 'docs/api.md',
    with: '"seconds_to_add"',
    run: async (code) => {
      const { id, derived_from } = JSON.parse(await shell(code)) as { id: string; derived_from: string };
      expect(derived_from).toBe(variables.ID);
      expect(await api.finished(id)).toMatchObject({ status: 'succeeded', model: 'wan2.7-i2v' });
    },
  },
  {
    file: 'docs/api.md',
    with: '-X PUT http://127.0.0.1:4400/webhook',
    run: async (code) => {
      const webhook = { host: 'example.com', events: 'endings', state: 'active', secret_version: 1 };
      expect(JSON.parse(await shell(code))).toEqual({ ...webhook, secret: expect.stringMatching(/^whsec_/) });
      // No later video of this owner may call that host.
      expect((await api.call('/webhook', { method: 'DELETE' })).status).toBe(204);
    },
  },
  {
    file: 'docs/api.md',
    with: '"n": 3',
    run: async (code) => expect((JSON.parse(await shell(code)) as { data: unknown[] }).data).toHaveLength(3),
  },
  {
    file: 'docs/api.md',
    with: 'DRAFT=',
    run: async (code) => {
      const final = JSON.parse(await shell(code)) as { id: string; derived_from: string };
      expect(await api.finished(final.derived_from)).toMatchObject({ parameters: { resolution: '480P' } });
      expect(await api.finished(final.id)).toMatchObject({
        status: 'succeeded',
        parameters: { resolution: '1080P', seed: 7 },
      });
    },
  },

  { file: 'docs/drops.md', with: 'export AWS_ACCESS_KEY_ID', run: exportAws },
  { file: 'docs/drops.md', with: 'photo.jpg.result.json -', run: oneResult },
  {
    file: 'docs/drops.md',
    with: 'aws s3 sync holidays',
    run: async (code) => {
      await shell(code);
      for (const name of ['beach.jpg', 'second day/hut.jpg'])
        expect(await written(`holidays/${name}.result.json`)).toMatchObject({
          status: 'succeeded',
          settings: { '/input/prompt': 'defaults', '/parameters/resolution': 'defaults' },
        });
    },
  },
  {
    file: 'docs/drops.md',
    with: 'cat.jpg.json',
    run: async (code) => {
      await shell(code);
      expect(await written('cats/cat.jpg.result.json')).toMatchObject({ settings: { '/input/prompt': 'sidecar' } });
    },
  },
  {
    file: 'docs/drops.md',
    with: 'manifest.jsonl <<',
    run: dropOne,
  },
  {
    file: 'docs/drops.md',
    with: 'summary.json -',
    run: async (code) => {
      expect(await result(code)).toMatchObject({ status: 'finished', lines: 2, succeeded: 2 });
      await expect(
        shell('aws s3 cp s3://firstframe-uploads/drop/batch/_images/photo.jpg.result.json -'),
      ).rejects.toThrow();
    },
  },

  {
    file: 'docs/runbook.md',
    with: 'npm run --silent stack-trace',
    needs: 'the logs of a deployment',
    checked_by: 'test/infra/operations/stack-trace.test.ts',
  },
  {
    file: 'docs/deploy.md',
    with: 'npm run webhook-secret -- OWNER',
    needs: 'a deployment',
    checked_by: 'test/infra/operations/webhook-secret.test.ts',
  },
  {
    file: 'docs/deploy.md',
    with: 'npm run catalogue -- list',
    needs: 'a deployment',
    checked_by: 'test/infra/operations/catalogue.test.ts',
  },
];
/** Any other block of the guide to drops: it runs, and each image that it copies becomes a video. */
const anyDrop = {
  file: 'docs/drops.md',
  with: 'aws s3 ',
  run: async (code: string) => {
    await shell(code);
    for (const [, key] of code.matchAll(/ s3:\/\/firstframe-uploads\/drop\/(\S+\.jpg) --metadata/g))
      expect(await written(`${key}.result.json`)).toMatchObject({ status: 'succeeded' });
  },
};
const handles = (handling: Handling, { file, code }: Block): boolean =>
  handling.file === file && `\n${code}`.includes(handling.with);
function handlingsOf(block: Block): Handling[] {
  const own = handlings.filter((handling) => handles(handling, block));
  return own.length === 0 && handles(anyDrop, block) ? [anyDrop] : own;
}

describe('the documents', () => {
  test.each(blocks)('show no command in $file that nothing checks: $code', (block) => {
    expect(handlingsOf(block)).toHaveLength(1);
  });

  test.each(handlings)('show the command that is checked here: $file, $with', (handling) => {
    expect(blocks.filter((block) => handlingsOf(block).includes(handling))).toHaveLength(1);
    if (handling.checked_by) expect(existsSync(path.join(root, handling.checked_by))).toBe(true);
  });

  test.each(documents)('%s names scripts and files that exist', (file) => {
    const text = read(file);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: object };
    const named = [...text.matchAll(/npm (?:run (?:--silent )?)?([a-z][\w-]*(?::[\w-]+)?)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !['ci', 'install'].includes(name) && !(name in scripts))).toEqual([]);
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) =>
      path.join(path.dirname(file), link!),
    );
    expect(links.filter((link) => !existsSync(path.join(root, link)))).toEqual([]);
  });

  test('have sections of the names that links give', () => {
    const slugs = (file: string) =>
      [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
        title!
          .toLowerCase()
          .replace(/[^\w\s-]/g, '')
          .replace(/\s/g, '-'),
      );
    const links = documents.flatMap((file) =>
      [...read(file).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)].map(([, to, slug]) => ({
        to: to ? path.join(path.dirname(file), to) : file,
        slug: slug!,
      })),
    );
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter(({ to, slug }) => !slugs(to).includes(slug))).toEqual([]);
  });

  test('begin with a README of at most 200 lines', () => {
    expect(read('README.md').split('\n').length).toBeLessThanOrEqual(201);
  });
});

// The commands are for a POSIX shell with curl and jq.
const hasTools = ['curl', 'jq'].every((tool) => spawnSync(tool, ['--version']).status === 0);
describe.runIf(hasTools)('the commands of the documents, in their order', { timeout: 150_000 }, () => {
  beforeAll(async () => {
    const stack = await sharedStack();
    const s3 = localS3(stack.aws_url);
    const key = { api_key: 'local', other_api_key: '', drop_api_key: 'local' };
    const close = async () => s3.destroy();
    api = endpoint({ url: stack.api_url, ...key, s3, uploads_bucket: 'firstframe-uploads', close });
    outputs = stack.runtime.stack.outputs as Record<string, string>;
    expect(outputs.ApiUrl).toMatch(/^https:\/\/[^/]+\/v1\/$/);
    stage = await serveStage(stack.api_url);
    onThisStack = (code) =>
      code.replaceAll('http://127.0.0.1:4400', stack.api_url).replaceAll('http://127.0.0.1:4402', stack.aws_url);
    folder = await mkdtemp(path.join(tmpdir(), 'firstframe-readme-'));
    tools = path.join(folder, 'bin');
    await mkdir(tools);
    await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
    const photo = await ffmpegFile('photo.jpg', '-f', 'lavfi', '-i', 'testsrc2=size=1200x900', '-frames:v', '1');
    await mkdir(path.join(folder, 'holidays/second day'), { recursive: true });
    for (const name of ['photo.jpg', 'cat.jpg', 'holidays/beach.jpg', 'holidays/second day/hut.jpg'])
      await writeFile(path.join(folder, name), photo);
    if (spawnSync('aws', ['--version']).status === 0) return;
    // A stand-in for the few forms that the documents show, where the AWS CLI is not installed.
    const tsx = path.join(root, 'node_modules/tsx/dist/loader.mjs');
    const standIn = path.join(root, 'test/support/aws-cli.ts');
    const aws = path.join(tools, 'aws');
    await writeFile(aws, `#!/bin/sh\nexec '${process.execPath}' --import '${tsx}' '${standIn}' "$@"\n`);
    await chmod(aws, 0o755);
  }, 150_000);
  afterAll(async () => {
    await api?.close();
    await stage?.close();
    if (folder !== '') await rm(folder, { recursive: true, force: true });
  });

  const runnable = blocks.flatMap((block) => handlingsOf(block).map(({ run }) => ({ ...block, run })));
  test.each(runnable.filter(({ run }) => run))('$file: $code', async ({ code, run }) => run?.(code));
});
