import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { S3Error } from '../errors.ts';
import { type Blobs, openBlobs } from './blobs.ts';
import type { BucketSettings, LogEntry, ObjectEvent, ObjectVersion, Upload, UploadedPart } from './records.ts';
import { createVersionIndex, type VersionIndex } from './version-index.ts';

/** A bucket's settings and creation time. */
export interface BucketState extends Omit<BucketSettings, 'versioned'> {
  versioning: 'Unversioned' | 'Enabled' | 'Suspended';
  /** Milliseconds since 1970. */
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
  /** The newest version of a key, which may be a delete marker. */
  current(key: string): ObjectVersion | undefined;
  /** Writes a change to disk, then applies it in memory; both are done when it returns. Removes unreferenced blobs. */
  commit(entry: LogEntry): void;
  /** Events of commits that have not been published, oldest first. */
  unpublishedEvents(): ObjectEvent[];
  /** Records that an event was published. */
  markPublished(event: ObjectEvent): void;
  /** Makes later commits throw `NoSuchBucket`: an upload may outlive its bucket. */
  retire(): void;
}

/** The log is rewritten when it has this many lines more than twice what the state needs. */
const compactionSlack = 1000;

/**
 * Opens a bucket's directory, which holds `bucket.json`, `log.jsonl` and `blobs/`, and removes what a crash left
 * behind.
 */
export function openBucket(directory: string, name: string): Bucket {
  const settingsPath = join(directory, 'bucket.json');
  const log = openLog(join(directory, 'log.jsonl'));
  const blobs = openBlobs(join(directory, 'blobs'));
  const index = createVersionIndex();
  const uploads = new Map<string, OpenUpload>();
  const unpublishedEvents = new Map<string, ObjectEvent>();
  let retired = false;
  let state: BucketState = JSON.parse(readFileSync(settingsPath, 'utf8'));

  const entries = log.read();
  for (const entry of entries) {
    applyEntry(entry, index, uploads);
    trackEvent(entry, unpublishedEvents);
  }
  const required = [...entriesOf(index, uploads), ...[...unpublishedEvents.values()].map((event) => ({ event }))];
  if (entries.length > required.length * 2 + compactionSlack) log.rewrite(required);
  blobs.removeAllBut(new Set(required.flatMap(blobsOf)));

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
      if (retired) throw new S3Error('NoSuchBucket', 'The bucket was deleted during the request.');
      log.append(entry);
      trackEvent(entry, unpublishedEvents);
      for (const blob of applyEntry(entry, index, uploads)) blobs.remove(blob);
    },
    unpublishedEvents: () => [...unpublishedEvents.values()],
    markPublished: ({ sequencer: published }) => {
      if (!retired) log.append({ published });
      trackEvent({ published }, unpublishedEvents);
    },
  };
}

/** Adds or removes an unpublished event. */
function trackEvent({ event, published }: LogEntry, unpublishedEvents: Map<string, ObjectEvent>): void {
  if (event) unpublishedEvents.set(event.sequencer, event);
  if (published !== undefined) unpublishedEvents.delete(published);
}

/** Replaces a bucket's settings atomically. */
export function writeBucketState(directory: string, state: BucketState): void {
  const path = join(directory, 'bucket.json');
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

/** @returns the blobs that are no longer referenced */
function applyEntry(entry: LogEntry, index: VersionIndex, uploads: Map<string, OpenUpload>): string[] {
  const unreferenced: string[] = [];
  if (entry.put) {
    const replaced = index.find(entry.put.key, entry.put.version_id);
    unreferenced.push(...blobsOf({ put: replaced }).filter((blob) => !blobsOf({ put: entry.put }).includes(blob)));
    index.put(entry.put);
  }
  if (entry.remove) {
    const { key, version_id: versionId } = entry.remove;
    unreferenced.push(...blobsOf({ put: index.find(key, versionId) }));
    index.remove(key, versionId);
  }
  if (entry.upload) uploads.set(entry.upload.upload_id, { ...entry.upload, parts: new Map() });
  if (entry.part) {
    const parts = uploads.get(entry.part.upload_id)?.parts;
    const replaced = parts?.get(entry.part.part.number);
    if (replaced) unreferenced.push(replaced.blob);
    parts?.set(entry.part.part.number, entry.part.part);
  }
  if (entry.end !== undefined) {
    const parts = uploads.get(entry.end)?.parts ?? new Map<number, UploadedPart>();
    for (const part of parts.values()) unreferenced.push(part.blob);
    uploads.delete(entry.end);
  }
  return unreferenced;
}

/** The shortest log that produces this state. */
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
  /** All complete entries, oldest first. */
  read(): LogEntry[];
  /** Synchronous, so that the check before it and the change in memory after it are one step. */
  append(entry: LogEntry): void;
  /** Replaces the log by entries that produce the same state. */
  rewrite(entries: readonly LogEntry[]): void;
}

function openLog(path: string): Log {
  return {
    read: () => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').flatMap(parse) : []),
    // The line feed comes first, so that it ends a line that a crash or a full disk truncated.
    append: (entry) => appendFileSync(path, `\n${JSON.stringify(entry)}`),
    rewrite: (entries) => {
      const fresh = `${path}.new`;
      writeFileSync(fresh, entries.map((entry) => `\n${JSON.stringify(entry)}`).join(''));
      renameSync(fresh, path);
    },
  };
}

/** A truncated line lacks its last brace and is not valid JSON. Its change was never acknowledged. */
function parse(line: string): LogEntry[] {
  if (line === '') return [];
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}
