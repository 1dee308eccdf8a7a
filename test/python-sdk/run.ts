import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { wav } from '../local/wan/support.ts';
import { type Endpoint, openLocal } from '../support/endpoint.ts';
import { png } from '../support/png.ts';
import { pythonWith, run } from '../support/python.ts';

/*
 * `npm run test:python-sdk`: the SDK for Python itself, as PyPI has it, against a local stack or the deployment that `E2E_BASE_URL`
 * names. Needs Python 3 with venv and, the first time, a network; `npm test` sends the same requests without either.
 */

/** The oldest version that the reference names, and one that is current. */
const versions = ['1.25.2', '2.0.2'];

/** A file in the uploads bucket, where Wan can fetch it, and its presigned URL. */
async function published({ s3, uploads_bucket: Bucket }: Endpoint, Key: string, file: Buffer, ContentType: string) {
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: file, ContentType }));
  return getSignedUrl(s3, new GetObjectCommand({ Bucket, Key }));
}

const pythons: string[] = [];
for (const version of versions) pythons.push(path.join(await pythonWith(`dashscope==${version}`), 'python'));
const directory = await mkdtemp(path.join(tmpdir(), 'firstframe-python-sdk-'));
const { endpoint } = await openLocal();
let failures = 0;
try {
  const [imageBytes, audioBytes] = [png(640, 480), wav(4)];
  const [image, audio] = [path.join(directory, 'a cat é.png'), path.join(directory, 'song.wav')];
  await writeFile(image, imageBytes);
  await writeFile(audio, audioBytes);
  const environment = {
    BASE_URL: `${endpoint.url}/api/v1`,
    DASHSCOPE_API_KEY: endpoint.api_key,
    IMAGE_URL: await published(endpoint, `e2e/python-${Date.now()}.png`, imageBytes, 'image/png'),
    IMAGE_FILE: image,
    AUDIO_URL: await published(endpoint, `e2e/python-${Date.now()}.wav`, audioBytes, 'audio/wav'),
    AUDIO_FILE: audio,
    NO_PROXY: '127.0.0.1',
  };
  const samples = path.join(import.meta.dirname, 'samples.py');
  for (const python of pythons) failures += (await run(python, [samples], environment)) === 0 ? 0 : 1;

  // The block of the README, with the newest version: nothing but its base URL, its key and its image differ.
  const readme = await readFile(path.join(import.meta.dirname, '../../README.md'), 'utf8');
  const sample = path.join(directory, 'readme.py');
  const [, code] = /^```python\n([\s\S]*?)^```/m.exec(readme)!;
  const here = code!
    .replace('http://127.0.0.1:4400/api/v1', environment.BASE_URL)
    .replace("api_key='local'", `api_key='${endpoint.api_key}'`)
    .replace('file://photo.jpg', `file://${image}`);
  await writeFile(sample, `${here}assert rsp.output.video_url.startswith('http')\n`);
  failures += (await run(pythons.at(-1)!, [sample], environment)) === 0 ? 0 : 1;
} finally {
  await endpoint.close();
  await rm(directory, { recursive: true, force: true });
}
process.exitCode = failures > 0 ? 1 : 0;
