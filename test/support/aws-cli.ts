import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';

/**
 * Implements the forms of `aws s3 cp`, `mv` and `sync` that the documents show, for tests without the AWS CLI. Rejects anything else.
 * Reads endpoint and credentials from the environment, as the AWS CLI does.
 */
async function main([service, command, from, to, ...options]: readonly string[]): Promise<void> {
  if (service !== 's3' || !from || !to) throw new Error('Only aws s3 cp, mv and sync with FROM and TO are supported.');
  const { metadata, rest } = readMetadata(options);
  if (rest.length > 0) throw new Error(`${rest.join(' ')} is not supported.`);
  const s3 = new S3Client({});
  const send = async (file: string, address: string): Promise<void> => {
    const { Bucket, Key } = readAddress(address);
    const named = Key === '' || Key.endsWith('/') ? Key + path.basename(file) : Key;
    await s3.send(new PutObjectCommand({ Bucket, Key: named, Body: await readFile(file), Metadata: metadata }));
  };
  if (command === 'mv' && from.startsWith('s3://') && to.startsWith('s3://')) {
    const { Bucket, Key } = readAddress(from);
    const CopySource = `${Bucket}/${encodeURIComponent(Key)}`;
    await s3.send(new CopyObjectCommand({ ...readAddress(to), CopySource }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  } else if (command === 'cp' && from.startsWith('s3://')) {
    const { Body } = await s3.send(new GetObjectCommand(readAddress(from)));
    const bytes = await Body!.transformToByteArray();
    if (to === '-') process.stdout.write(bytes);
    else await writeFile(to, bytes);
  } else if (command === 'cp') {
    await send(from, to);
  } else if (command === 'sync') {
    const files = readdirSync(from, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const { parentPath, name } of files) {
      const file = path.join(parentPath, name);
      await send(file, `${to.replace(/\/$/, '')}/${path.relative(from, file)}`);
    }
  } else {
    throw new Error(`aws s3 ${command} is not supported.`);
  }
}

function readAddress(address: string): { Bucket: string; Key: string } {
  const [, Bucket, Key = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(address) ?? [];
  if (!Bucket) throw new Error(`${address} is not an s3://bucket/key.`);
  return { Bucket, Key };
}

/** Parses both forms of `--metadata`: JSON, and `name=value,name=value`. */
function readMetadata(options: readonly string[]): { metadata: Record<string, string>; rest: string[] } {
  const at = options.indexOf('--metadata');
  if (at === -1) return { metadata: {}, rest: [...options] };
  const text = options[at + 1]!;
  const metadata = text.startsWith('{')
    ? (JSON.parse(text) as Record<string, string>)
    : Object.fromEntries(text.split(',').map((pair) => pair.split('=', 2) as [string, string]));
  return { metadata, rest: options.toSpliced(at, 2) };
}

await main(process.argv.slice(2));
