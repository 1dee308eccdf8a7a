import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { wav } from '../local/wan/support.ts';
import { type Endpoint, openLocal } from '../support/endpoint.ts';
import { png } from '../support/png.ts';

/*
 * `npm run test:python-sdk`: the SDK for Python itself, as PyPI has it, against a local stack or the deployment that `E2E_BASE_URL`
 * names. Needs Python 3 with venv and, the first time, a network; `npm test` sends the same requests without either.
 */

/** The oldest version that the reference names, and one that is current. */
const versions = ['1.25.2', '2.0.2'];

async function run(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

/** The Python of a virtual environment that has this version of the SDK; made once, kept below `.local/`. */
async function pythonWith(version: string): Promise<string> {
  const directory = path.resolve('.local', 'python-sdk', version);
  const python = path.join(directory, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const marker = path.join(directory, 'installed');
  const isInstalled = await access(marker).then(
    () => true,
    () => false,
  );
  if (isInstalled) return python;
  const steps: [string, string[]][] = [
    ['python3', ['-m', 'venv', '--clear', directory]],
    [python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `dashscope==${version}`]],
  ];
  for (const [command, args] of steps) {
    if ((await run(command, args)) !== 0) throw new Error(`${command} ${args.join(' ')} failed.`);
  }
  await writeFile(marker, '');
  return python;
}

/** A file in the uploads bucket, where Wan can fetch it, and its presigned URL. */
async function published({ s3, uploads_bucket: Bucket }: Endpoint, Key: string, file: Buffer, ContentType: string) {
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: file, ContentType }));
  return getSignedUrl(s3, new GetObjectCommand({ Bucket, Key }));
}

const pythons: string[] = [];
for (const version of versions) pythons.push(await pythonWith(version));
const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-python-sdk-'));
const { endpoint } = await openLocal();
let failures = 0;
try {
  const [picture, sound] = [png(640, 480), wav(4)];
  const [image, audio] = [path.join(directory, 'a cat é.png'), path.join(directory, 'song.wav')];
  await writeFile(image, picture);
  await writeFile(audio, sound);
  const environment = {
    BASE_URL: `${endpoint.url}/api/v1`,
    DASHSCOPE_API_KEY: endpoint.api_key,
    IMAGE_URL: await published(endpoint, `e2e/python-${Date.now()}.png`, picture, 'image/png'),
    IMAGE_FILE: image,
    AUDIO_URL: await published(endpoint, `e2e/python-${Date.now()}.wav`, sound, 'audio/wav'),
    AUDIO_FILE: audio,
    NO_PROXY: '127.0.0.1',
  };
  const samples = path.join(import.meta.dirname, 'samples.py');
  for (const python of pythons) failures += (await run(python, [samples], environment)) === 0 ? 0 : 1;
} finally {
  await endpoint.close();
  await rm(directory, { recursive: true, force: true });
}
process.exitCode = failures > 0 ? 1 : 0;
