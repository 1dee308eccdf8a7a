import { createHash } from 'node:crypto';
import type { Status } from './record.ts';

/** Partition keys of the table, by kind of item. */
export const keys = {
  video: (id: string) => `video#${id}`,
  /** A model queue: its permits, its pause and the rate limiter of its submissions. */
  modelQueue: (model: string) => `queue#${model}`,
  /** The typical duration of tasks of one model, resolution and duration. */
  durations: (model: string, resolution: string | undefined, duration: number | undefined) =>
    `durations#${model}#${resolution ?? ''}#${duration ?? ''}`,
  /** Which events of a video have been published. */
  published: (id: string) => `published#${id}`,
  /** An owner's subscription to webhooks, and the version of the owner's secret. */
  webhook: (owner: string) => `webhook#${owner}`,
  /** The delivery of an event of a video to a webhook. */
  delivery: (id: string, sequence: number) => `delivery#${id}#${sequence}`,
  /** How the server behind an owner's webhooks answers. */
  receiver: (owner: string, origin: string) => `receiver#${owner}#${origin}`,
  /** The execution that waits for a video's task. */
  wait: (id: string) => `wait#${id}`,
  /** Returns the video's id in the key of a wait item. */
  readWait: (key: string) => key.slice('wait#'.length),
  /** The watcher's lease. */
  watcher: 'watcher',
  /** The rate limiter of queries to Wan. */
  queryRate: 'query_rate',
  /** The rate limiter of an owner's requests. */
  requestRate: (owner: string) => `requests#${owner}`,
  /** The slots of the long polls that are held. */
  longPolls: 'long_polls',
  /** An owner's spending in a calendar month, `YYYY-MM`. */
  spending: (owner: string, month: string) => `spending#${owner}#${month}`,
  /** An API key, by its SHA-256; the key itself is not stored. */
  apiKey: (sha256: string) => `key#${sha256}`,
  /** An upload token, by its SHA-256. */
  uploadToken: (sha256: string) => `upload#${sha256}`,
  /** An object of the drop folder: when its last event was handled. */
  drop: (bucket: string, key: string) => `drop#${bucket}/${key}`,
  /** Bytes under a key of the drop folder: which videos their uploads asked for. */
  dropContent: ({ owner, sha256, bucket, key }: { owner: string; sha256: string; bucket: string; key: string }) =>
    `drop_content#${owner}#${sha256}#${bucket}/${key}`,
  /** What operators have changed in a running deployment. */
  catalogueChanges: 'catalogue_changes',
  /** Where the sweep stopped listing the drop folder. */
  dropListing: 'drop_listing',
  /** A manifest in the drop folder. */
  manifest: (bucket: string, key: string) => `manifest#${bucket}/${key}`,
  /** Which video owns one of Wan's tasks. */
  task: (taskId: string) => `task#${taskId}`,
  /** The prompt lock of a model and prompt. */
  promptLock: (model: string, prompt: string | undefined) =>
    `prompt_lock#${sha256Hex(JSON.stringify([model, promptPrefix(prompt)]))}`,
};

/**
 * Wan may report a prompt trimmed, and cut off at the model's limit (at least 800 characters), so prompts that Wan may report as equal
 * share this prefix. A video that waits for one with only the same prefix loses at most two minutes.
 */
const promptPrefix = (prompt = ''): string => [...prompt.trim()].slice(0, 200).join('').trimEnd();

export const sha256Hex = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** Whether a text has the form of a video's id. */
export const isVideoId = (id: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);

/** Returns a position that sorts videos by time, then id: the sort key of both indexes and the cursor of a list. */
export const timeAndId = (createdAt: string, id: string): string => `${createdAt}#${id}`;

/** Separates owner and time in a queue position. Sorts before every character of an owner's name. */
const separator = '#';

/**
 * Returns the attributes of the status index, which lists videos that still need work. A finished video has neither, which keeps the
 * index small. An ended video is finished when the leftovers of its downloads have been deleted, its last event has been published and,
 * for a drop, its result has been written.
 */
export function openAttributes(video: {
  status: Status;
  model: string;
  owner: string;
  created_at: string;
  id: string;
}): {
  open_status?: string;
  open_order?: string;
} {
  const order = timeAndId(video.created_at, video.id);
  switch (video.status) {
    case 'queued':
      return { open_status: queueOf(video.model), open_order: `${beforeOwner(video.owner)}${order}` };
    case 'submitting':
    case 'running':
    case 'archiving':
      return { open_status: video.status, open_order: order };
    default:
      return { open_status: 'unfinished', open_order: order };
  }
}

/** The index partition of a model's waiting videos, sorted by owner, then oldest first. */
export const queueOf = (model: string): string => `queued#${model}`;

/** The first index position of one owner. */
export const beforeOwner = (owner: string): string => `${owner}${separator}`;

/** The first index position after all of one owner. */
export const afterOwner = (owner: string): string => `${owner}${String.fromCharCode(separator.charCodeAt(0) + 1)}`;

/** Parses an index position: owner, video id, and the position among the owner's videos (`timeAndId`). */
export function readQueuePosition(openOrder: string): { owner: string; id: string; order: string } {
  const first = openOrder.indexOf(separator);
  return {
    owner: openOrder.slice(0, first),
    id: openOrder.slice(openOrder.lastIndexOf(separator) + 1),
    order: openOrder.slice(first + 1),
  };
}

/**
 * Returns a UUID that is determined by its parts (version 8 of RFC 9562: 122 bits of SHA-256), so that equal requests get the same
 * video.
 */
export function deterministicId(...parts: string[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
