import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from './sha256.ts';
import { toWanTime, uploadRetention } from './time.ts';
import { writeFileWhole } from './write-file.ts';

/** A temporary upload belongs to one account and one model (facts, "Task management"). */
export interface UploadOwner {
  readonly account: string;
  readonly model: string;
}

interface Upload extends UploadOwner {
  readonly key: string;
  readonly uploaded_at: number;
}

export interface Uploads {
  /** Returns the folder for the uploads of a new policy. */
  newFolder(account: string): string;
  /** Stores a file. Returns false when the key exists: uploads are never overwritten. */
  store(key: string, content: Uint8Array, owner: UploadOwner): Promise<boolean>;
  /** Reads the file of `oss://KEY`; undefined if it is missing, older than 48 h, or of another account or model. */
  read(url: string, owner: UploadOwner): Promise<Uint8Array | undefined>;
}

/** Opens the temporary uploads in a directory. Deletes files older than 48 hours first. */
export async function openUploads(options: {
  readonly directory: string;
  readonly now: () => number;
}): Promise<Uploads> {
  const directory = join(options.directory, 'uploads');
  await mkdir(directory, { recursive: true });
  const uploads = new Map<string, Upload>();
  const isRetained = (upload: Upload) => options.now() < upload.uploaded_at + uploadRetention;
  const paths = (key: string) => ({
    content: join(directory, `${sha256(key)}.bin`),
    record: join(directory, `${sha256(key)}.json`),
  });
  for (const name of (await readdir(directory)).filter((name) => name.endsWith('.json'))) {
    const upload = JSON.parse(await readFile(join(directory, name), 'utf8')) as Upload;
    if (isRetained(upload)) uploads.set(upload.key, upload);
    else for (const path of Object.values(paths(upload.key))) await rm(path, { force: true });
  }

  return {
    newFolder(account) {
      const day = toWanTime(options.now()).slice(0, 10);
      return `dashscope-instant/${account}/${day}/${randomUUID()}`;
    },
    async store(key, content, owner) {
      if (uploads.has(key)) return false;
      const upload = { key, account: owner.account, model: owner.model, uploaded_at: options.now() };
      uploads.set(key, upload);
      await writeFileWhole(paths(key).content, content);
      await writeFileWhole(paths(key).record, JSON.stringify(upload));
      return true;
    },
    async read(url, owner) {
      const upload = uploads.get(url.slice('oss://'.length));
      if (!upload || !isRetained(upload) || upload.account !== owner.account || upload.model !== owner.model)
        return undefined;
      return readFile(paths(upload.key).content);
    },
  };
}
