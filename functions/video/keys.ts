import { createHash } from 'node:crypto';
import type { Source, Status } from './record.ts';

/** Keys of the one table, by kind of item. */
export const keys = {
  video: (id: string) => `video#${id}`,
  /** A model's queue: its permits and its submit clock. */
  lane: (model: string) => `queue#${model}`,
  /** How long tasks of one kind take. */
  durations: (model: string, resolution: string | undefined, duration: number | undefined) =>
    `durations#${model}#${resolution ?? ''}#${duration ?? ''}`,
  /** The execution that waits for a video's task. */
  wait: (id: string) => `wait#${id}`,
  /** The id of the video in the key of a wait item. */
  readWait: (key: string) => key.slice('wait#'.length),
  /** Which watcher is alive. */
  watcher: 'watcher',
  /** When Wan may be asked the next question about any task. */
  queryClock: 'query_clock',
  /** What an owner spends in a calendar month, `YYYY-MM`. */
  spending: (owner: string, month: string) => `spending#${owner}#${month}`,
  /** An API key, by the SHA-256 of its text: the key itself is stored nowhere. */
  apiKey: (sha256: string) => `key#${sha256}`,
  /** An upload token, by the SHA-256 of its text, as an API key. */
  uploadToken: (sha256: string) => `upload#${sha256}`,
  /** An object of the drop folder: when its last event was handled. */
  drop: (bucket: string, key: string) => `drop#${bucket}/${key}`,
  /** Bytes under a key of the drop folder: which videos their uploads asked for. */
  dropContent: ({ owner, sha256, bucket, key }: { owner: string; sha256: string; bucket: string; key: string }) =>
    `drop_content#${owner}#${sha256}#${bucket}/${key}`,
  /** Where the sweep stopped listing the drop folder. */
  dropListing: 'drop_listing',
  /** A manifest in the drop folder. */
  manifest: (bucket: string, key: string) => `manifest#${bucket}/${key}`,
  /** Which video owns a task of Wan's: no task is ever adopted twice. */
  task: (taskId: string) => `task#${taskId}`,
  /** Who is sending, or unsure of having sent, this prompt to this model. */
  submission: (model: string, prompt: string | undefined) =>
    `submission#${sha256Hex(JSON.stringify([model, promptBeginning(prompt)]))}`,
};

/**
 * Wan may report a prompt without the spaces around it, and cut off where the model stops reading (800 characters at least): two
 * prompts that it might report alike begin alike. A video that waits for one that only begins alike loses two minutes at most.
 */
const promptBeginning = (prompt = ''): string => [...prompt.trim()].slice(0, 200).join('').trimEnd();

export const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Whether a text can be a video's id at all: nothing else is looked up. */
export const isVideoId = (id: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);

/** Sorts videos by time, ties by id: the sort key of both indexes and the cursor of a list. */
export const timeAndId = (createdAt: string, id: string): string => `${createdAt}#${id}`;

/** Between an owner's name and the time within a lane's queue: sorts before every character an owner's name may hold. */
const separator = '#';

/**
 * What still needs work is found by these two attributes; a video that is done has neither, which keeps the index small. A video of the
 * drop folder is done when its result has been written.
 */
export function openAttributes(video: {
  status: Status;
  source: Source;
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
      return video.source.type === 'api' ? {} : { open_status: 'result_pending', open_order: order };
  }
}

/** The index partition that holds a model's waiting videos, grouped by owner and oldest first within one. */
export const queueOf = (model: string): string => `queued#${model}`;

/** The first index position of one owner. */
export const beforeOwner = (owner: string): string => `${owner}${separator}`;

/** The first index position behind everything of one owner. */
export const afterOwner = (owner: string): string => `${owner}${String.fromCharCode(separator.charCodeAt(0) + 1)}`;

/** Owner, id, and place among the owner's (`timeAndId`) from an index position in a queue. */
export function readQueuePosition(openOrder: string): { owner: string; id: string; order: string } {
  const first = openOrder.indexOf(separator);
  return {
    owner: openOrder.slice(0, first),
    id: openOrder.slice(openOrder.lastIndexOf(separator) + 1),
    order: openOrder.slice(first + 1),
  };
}

/**
 * A UUID that is determined by its parts (version 8 of RFC 9562: 122 bits of SHA-256), so that the same request always
 * means the same video.
 */
export function deterministicId(...parts: string[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
