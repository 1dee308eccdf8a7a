import type { ProvenanceMarks } from '../media/provenance.ts';
import type { Warning } from '../shared/issues.ts';
import { TOMBSTONE_DAYS, timeToLive } from '../shared/table-schema.ts';
import type { ModelName } from '../wan/catalogue.ts';
import type { Usage } from '../wan/client/query-task.ts';
import type { Failure as ExplainedFailure } from '../wan/failures.ts';
import type { MediaItem } from '../wan/media.ts';
import type { Price } from '../wan/prices.ts';
import type { VideoRequest } from '../wan/validation/request.ts';
import type { MediaFacts } from '../wan/validation/urls.ts';
import type { RequestedWebhook } from '../wan/validation/webhook.ts';

// The record of a video. Field names are snake_case in the API, in the table and here, so nothing is mapped. Times are ISO 8601 UTC.

export const statuses = ['queued', 'submitting', 'running', 'archiving', 'succeeded', 'failed', 'canceled'] as const;
export type Status = (typeof statuses)[number];

/** Why a video failed (invariant 6). An invalid drop has the code of its first issue. */
export type Failure = Omit<ExplainedFailure, 'code'> & { code: string };

/** An object in S3. Without `version_id`: its latest version. */
export interface ObjectVersion {
  bucket: string;
  key: string;
  version_id?: string;
}

/** A file in one of firstframe's buckets. */
interface StoredFile extends ObjectVersion {
  content_type: string;
  /** Length in bytes. */
  bytes: number;
}

/** A file of an input. Which facts are known depends on its kind. */
export type StoredMedia = ObjectVersion & MediaFacts;

/** An input of a video. A stored file has the URL `s3://bucket/key`. */
export type RecordedMedia = MediaItem & { file?: StoredMedia };

export interface ArchivedVideo extends StoredFile {
  /** Hex. */
  sha256: string;
  duration_seconds: number;
  width: number;
  height: number;
  fps: number;
  codecs: string[];
  provenance: Provenance;
}

/** The marks of AI-generated content in the file, which is archived byte for byte, with every mark that Wan sets. */
interface Provenance extends ProvenanceMarks {
  /** Whether the visible "AI Generated" was requested. */
  watermark: boolean;
}

/** The input as requested, with the stored files of its media. */
type VideoInput = Omit<VideoRequest['input'], 'media'> & { media: RecordedMedia[] };

/** The parameters with the model's defaults. Incomplete only for a drop with invalid settings. */
export type VideoParameters = Partial<VideoRequest['parameters']>;

export type Source =
  /** `request_id`: the id of the HTTP request that created the video. */
  | { type: 'api'; key_id: string; request_id?: string }
  /** An image in the drop folder. `settings` maps the JSON pointer of each value to the level it came from. */
  | ({ type: 'drop'; settings?: Record<string, SettingLevel>; defaults_key?: string } & ObjectVersion)
  /** A line of a manifest in the drop folder, counted from 1, in the latest upload that contains it. */
  | ({ type: 'manifest'; line: number; settings?: Record<string, 'line'> } & ObjectVersion);

/** The sources of a drop's settings, strongest first. `defaults` is the nearest `_defaults.json`, at `defaults_key`. */
export const settingLevels = ['sidecar', 'metadata', 'defaults', 'deployment'] as const;
export type SettingLevel = (typeof settingLevels)[number];

/**
 * The submission ledger (invariant 1): written before the call to Wan, so that after a crash it is known that a paid task may exist.
 * `open`: the call may be in progress or its response lost. `settled`: the outcome of the attempt is known.
 */
export interface Submission {
  /** Number of the attempt: 1, 2, … */
  attempt: number;
  state: 'open' | 'settled';
  sent_at: string;
  /** When the response was found to be lost: the start of the search for the task. */
  uncertain_since?: string;
}

export interface Task {
  /** Wan's task id; never leaves through the API. */
  id: string;
  /** Wan's task status. */
  status: string;
  region: string;
  request_id?: string;
  submit_time: string;
  scheduled_time?: string;
  end_time?: string;
  /** When Wan deletes the task and its video: 24 hours after the submission. */
  expires_at: string;
  /** The typical duration when the task was created. Progress and expected finish follow from it. */
  expected_seconds: number;
  /** Number of the attempt that created the task. */
  attempts: number;
  /** The prompt after Wan's rewriting, if Wan reports it. */
  actual_prompt?: string;
}

export interface TimelineEntry {
  status: Status;
  at: string;
}

export interface VideoRecord {
  id: string;
  owner: string;
  status: Status;
  created_at: string;
  updated_at: string;
  model: string;
  /** The model whose rules apply, for one that the deployment added to the catalogue. */
  family?: ModelName;
  input: VideoInput;
  parameters: VideoParameters;
  source: Source;
  /** The id of the video that this one extends or varies. That one may be deleted meanwhile. */
  derived_from?: string;
  metadata: Record<string, string>;
  /** Replaces the owner's webhook. */
  webhook?: RequestedWebhook;
  warnings: Warning[];
  /** Hash of the request body, to detect an Idempotency-Key that is reused with another body. */
  request_hash: string;
  /** The most that the video costs if it succeeds; undefined when the price is unknown. */
  estimated_cost?: Price;
  /** `YYYY-MM` (UTC) of the creation or the last retry: the video counts towards this month's spending limit. */
  spending_month: string;
  /** Number of executions started for the video; part of the execution's name. */
  run: number;
  /** Runs that do not count against the video: those before a retry, or ended by a cause that is not the video's. */
  earlier_runs?: number;
  submission?: Submission;
  /** Number of started downloads of the finished video. */
  downloads?: number;
  task?: Task;
  /** Number of tasks adopted since the creation or the last retry. More than one means that Wan was paid twice. */
  upstream_tasks?: number;
  video?: ArchivedVideo;
  usage?: Usage;
  cost?: Price;
  error?: Failure;
  /** When the archived file expires; undefined without a retention time. */
  expires_at?: string;
  timeline: TimelineEntry[];
}

/** Returns the number of runs that count against the video. */
export const runsOf = ({ run, earlier_runs = 0 }: Pick<VideoRecord, 'run' | 'earlier_runs'>): number =>
  run - earlier_runs;

const terminal: ReadonlySet<Status> = new Set(['succeeded', 'failed', 'canceled']);

/** Whether a status is terminal: only a retry or a deletion changes it. */
export const isTerminal = (status: Status): boolean => terminal.has(status);

/**
 * The allowed transitions. `submitting → queued` returns a video to its queue, for example when Wan refuses the account (invalid key,
 * arrears). A retry moves `failed` or `canceled` to `queued` for a new attempt, or to the status of a task that Wan still has.
 */
const transitions: Record<Status, readonly Status[]> = {
  queued: ['submitting', 'failed', 'canceled'],
  submitting: ['running', 'queued', 'failed', 'canceled'],
  running: ['archiving', 'failed', 'canceled'],
  archiving: ['succeeded', 'failed'],
  succeeded: [],
  failed: ['queued', 'running', 'archiving'],
  canceled: ['queued', 'running', 'archiving'],
};

/** Whether a video may change from one status to another. */
export const isLegalTransition = (from: Status, to: Status): boolean => transitions[from].includes(to);

/** Returns the calendar month (UTC) for spending. @param now milliseconds since 1970 */
export const monthOf = (now: number): string => new Date(now).toISOString().slice(0, 7);

const DAY_SECONDS = 24 * 3600;

/**
 * Returns what a status change writes about the expiry of a video: `expires_at`, when its file expires, and the time to live of its
 * record. Neither without a retention time, or while the video is in progress. The record of a video from the drop folder stays: a sync
 * program may upload the same file again after years, which must not be paid again.
 */
export function expiryOf(
  { videoRetentionDays, now }: { videoRetentionDays?: number | undefined; now: () => number },
  { status, source }: Pick<VideoRecord, 'status' | 'source'>,
): Pick<VideoRecord, 'expires_at'> & { [timeToLive]?: number } {
  if (videoRetentionDays === undefined || !isTerminal(status)) return {};
  const end = now() + videoRetentionDays * DAY_SECONDS * 1000;
  return {
    ...(status === 'succeeded' ? { expires_at: new Date(end).toISOString() } : {}),
    ...(source.type === 'api' ? { [timeToLive]: Math.ceil(end / 1000) + TOMBSTONE_DAYS * DAY_SECONDS } : {}),
  };
}

/** The attributes that a video loses when it is restarted. */
export const expiryAttributes = ['expires_at', timeToLive];

/** When a tombstone of now expires. */
export const tombstoneExpiry = (now: number): number => Math.floor(now / 1000) + TOMBSTONE_DAYS * DAY_SECONDS;

/** Whether an item has expired. DynamoDB deletes it up to days later, and until then returns it. */
export const isExpired = ({ [timeToLive]: ttl }: { [timeToLive]?: unknown }, now: number): boolean =>
  typeof ttl === 'number' && ttl * 1000 <= now;

/** Whether the file of a video has expired, whether or not S3 has deleted it yet. */
export const isFileExpired = ({ expires_at }: Pick<VideoRecord, 'expires_at'>, now: number): boolean =>
  expires_at !== undefined && Date.parse(expires_at) <= now;
