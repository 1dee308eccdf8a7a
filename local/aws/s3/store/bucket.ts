import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { S3Error } from '../errors.ts';
import { type Blobs, openBlobs } from './blobs.ts';
import type { BucketSettings, LogEntry, ObjectEvent, ObjectVersion, Upload, UploadedPart } from './records.ts';
import { createVersionIndex, type VersionIndex } from './version-index.ts';

/** A bucket's settings and how it came to them. */
export interface BucketState extends Omit<BucketSettings, 'versioned'> {
  versioning: 'Unversioned' | 'Enabled' | 'Suspended';
  /** Milliseconds. */
  created: number;
}

export interface OpenUpload extends Upload {
  parts: Map<number, UploadedPart>;
}

export interface Bucket {
  readonly name: string;
  readonly directory: string;
  readonly blobs: Blobs;
  readonly versions: Pick<VersionIndex, 'keys' | 'versions' | 'find'>;
  readonly uploads: ReadonlyMap<string, OpenUpload>;
  state(): BucketState;
  configure(state: BucketState): void;
  /** The newest version of a key, delete markers included. */
  current(key: string): ObjectVersion | undefined;
  /** Writes one change to disk, then to memory; both before it returns. Blobs that nothing names any more are removed later. */
  commit(entry: LogEntry): void;
  /** Events of commits that nobody was told of yet, oldest first. */
  untold(): ObjectEvent[];
  /** Writes down that an event was told. */
  markTold(event: ObjectEvent): void;
  /** After this a commit throws `NoSuchBucket`: an upload may outlive its bucket. */
  retire(): void;
  /** Settles when the blobs that commits made superfluous are gone. */
  settled(): Promise<void>;
}

/** Lines of a log that are tolerated beyond what the state needs. */
const slack = 1000;

/** Opens a bucket's directory, which holds `bucket.json`, `log.jsonl` and `blobs/`, and tidies what a crash has left. */
export function openBucket(directory: string, name: string): Bucket {
  const settingsPath = join(directory, 'bucket.json');
  const log = openLog(join(directory, 'log.jsonl'));
  const blobs = openBlobs(join(directory, 'blobs'));
  const index = createVersionIndex();
  const uploads = new Map<string, OpenUpload>();
  const untold = new Map<string, ObjectEvent>();
  const removals = new Set<Promise<unknown>>();
  let retired = false;
  let state: BucketState = JSON.parse(readFileSync(settingsPath, 'utf8'));

  const entries = log.read();
  for (const entry of entries) {
    apply(entry, index, uploads);
    note(entry, untold);
  }
  const needed = [...entriesOf(index, uploads), ...[...untold.values()].map((event) => ({ event }))];
  if (entries.length > needed.length * 2 + slack) log.rewrite(needed);
  blobs.removeAllBut(new Set(needed.flatMap(blobsOf)));

  return {
    name,
    directory,
    blobs,
    versions: index,
    uploads,
    state: () => state,
    configure: (next) => {
      writeBucketState(directory, next);
      state = next;
    },
    current: (key) => index.versions(key)[0],
    retire: () => {
      retired = true;
    },
    commit: (entry) => {
      if (retired) throw new S3Error('NoSuchBucket', 'The bucket was deleted meanwhile.');
      log.append(entry);
      note(entry, untold);
      const superfluous = apply(entry, index, uploads);
      for (const blob of superfluous) {
        // A file that can't be removed now is garbage for the next start.
        const removal: Promise<unknown> = blobs
          .remove(blob)
          .catch(() => {})
          .finally(() => removals.delete(removal));
        removals.add(removal);
      }
    },
    untold: () => [...untold.values()],
    markTold: ({ sequencer: told }) => {
      if (!retired) log.append({ told });
      note({ told }, untold);
    },
    settled: async () => {
      await Promise.allSettled(removals);
    },
  };
}

/** Keeps account of what is still to be told. */
function note({ event, told }: LogEntry, untold: Map<string, ObjectEvent>): void {
  if (event) untold.set(event.sequencer, event);
  if (told !== undefined) untold.delete(told);
}

/** Writes a bucket's settings so that a reader sees the old ones or the new. */
export function writeBucketState(directory: string, state: BucketState): void {
  const path = join(directory, 'bucket.json');
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

/** @returns the blobs that lost their last name */
function apply(entry: LogEntry, index: VersionIndex, uploads: Map<string, OpenUpload>): string[] {
  const superfluous: string[] = [];
  if (entry.put) {
    const replaced = index.find(entry.put.key, entry.put.version_id);
    superfluous.push(...blobsOf({ put: replaced }).filter((blob) => !blobsOf({ put: entry.put }).includes(blob)));
    index.put(entry.put);
  }
  if (entry.remove) {
    const { key, version_id: versionId } = entry.remove;
    superfluous.push(...blobsOf({ put: index.find(key, versionId) }));
    index.remove(key, versionId);
  }
  if (entry.upload) uploads.set(entry.upload.upload_id, { ...entry.upload, parts: new Map() });
  if (entry.part) {
    const parts = uploads.get(entry.part.upload_id)?.parts;
    const replaced = parts?.get(entry.part.part.number);
    if (replaced) superfluous.push(replaced.blob);
    parts?.set(entry.part.part.number, entry.part.part);
  }
  if (entry.end !== undefined) {
    const parts = uploads.get(entry.end)?.parts ?? new Map<number, UploadedPart>();
    for (const part of parts.values()) superfluous.push(part.blob);
    uploads.delete(entry.end);
  }
  return superfluous;
}

/** The shortest log that leads to this state. */
function entriesOf(index: VersionIndex, uploads: ReadonlyMap<string, OpenUpload>): LogEntry[] {
  const entries: LogEntry[] = [];
  for (const key of index.keys()) for (const put of index.versions(key).toReversed()) entries.push({ put });
  for (const { parts, ...upload } of uploads.values()) {
    entries.push({ upload });
    for (const part of parts.values()) entries.push({ part: { upload_id: upload.upload_id, part } });
  }
  return entries;
}

function blobsOf(entry: LogEntry): string[] {
  if (entry.put?.kind === 'object') return [entry.put.blob];
  return entry.part ? [entry.part.part.blob] : [];
}

/** An append-only file of changes. An entry counts once its last byte is written. */
interface Log {
  /** Every whole entry, oldest first. */
  read(): LogEntry[];
  /** Synchronous, so that a check before it and the change of memory after it are one step. */
  append(entry: LogEntry): void;
  /** Replaces the log by entries that lead to the same state. */
  rewrite(entries: readonly LogEntry[]): void;
}

function openLog(path: string): Log {
  return {
    read: () => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').flatMap(parse) : []),
    // The line feed comes first: it ends a line that a crash or a full disk has torn.
    append: (entry) => appendFileSync(path, `\n${JSON.stringify(entry)}`),
    rewrite: (entries) => {
      const fresh = `${path}.new`;
      writeFileSync(fresh, entries.map((entry) => `\n${JSON.stringify(entry)}`).join(''));
      renameSync(fresh, path);
    },
  };
}

/** A torn line is no JSON, for its last brace is missing; nobody was told that its change had happened. */
function parse(line: string): LogEntry[] {
  if (line === '') return [];
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
