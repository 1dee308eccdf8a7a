import type { Warning } from '../shared/issues.ts';
import type { Usage } from '../wan/client/query-task.ts';
import type { Failure as ExplainedFailure } from '../wan/failures.ts';
import type { Price } from '../wan/prices.ts';
import type { VideoRequest } from '../wan/validation/request.ts';

/** The record of a video: its fields are snake_case on the wire, in the table and here, so nothing is ever mapped. Times are ISO 8601 UTC. */

export const statuses = ['queued', 'submitting', 'running', 'archiving', 'succeeded', 'failed', 'canceled'] as const;
export type Status = (typeof statuses)[number];

/** Why a video failed (invariant 6: every ending is explained). A refused drop's code is that of its first issue. */
export type Failure = Omit<ExplainedFailure, 'code'> & { code: string };

/** An object in S3; without its version, the newest. */
export interface ObjectVersion {
  bucket: string;
  key: string;
  version_id?: string;
}

/** A file that firstframe holds itself, whichever way it came. */
interface StoredFile extends ObjectVersion {
  content_type: string;
  /** Length in bytes. */
  bytes: number;
}

export interface StoredImage extends StoredFile {
  /** Pixels. */
  width: number;
  height: number;
}

export interface StoredAudio extends StoredFile {
  duration_seconds: number;
}

export interface ArchivedVideo extends StoredFile {
  /** Hex. */
  sha256: string;
  duration_seconds: number;
  width: number;
  height: number;
  fps: number;
  codecs: string[];
}

/** As the request gave it; `img_url` is `s3://bucket/key` for an image that firstframe holds, and `audio_url` for a sound. */
type VideoInput = VideoRequest['input'];

/** With the model's defaults filled in; only a drop whose settings were refused lacks some. */
export type VideoParameters = Partial<VideoRequest['parameters']>;

export type Source =
  | { type: 'api'; key_id: string }
  /** An image in the drop folder. `settings`: which of the levels below each value of the request came from, by JSON pointer. */
  | ({ type: 'drop'; settings?: Record<string, SettingLevel>; defaults_key?: string } & ObjectVersion)
  /** A line of a manifest in the drop folder, from 1, in the last upload that has it. */
  | ({ type: 'manifest'; line: number; settings?: Record<string, 'line'> } & ObjectVersion);

/** Where a drop's settings come from, strongest first; `defaults` is the nearest `_defaults.json`, at the source's `defaults_key`. */
export const settingLevels = ['sidecar', 'metadata', 'defaults', 'deployment'] as const;
export type SettingLevel = (typeof settingLevels)[number];

/**
 * The ledger of invariant 1: written before Wan is called, so that whoever comes after a crash knows that a paid task may exist.
 * `open`: the call may be under way or its answer lost; `settled`: the outcome of this attempt is known.
 */
export interface Submission {
  /** Which paid attempt of this video it is: 1, 2, … */
  attempt: number;
  state: 'open' | 'settled';
  sent_at: string;
  /** When the answer was found to be missing; two minutes are counted from here. */
  uncertain_since?: string;
}

export interface Task {
  /** Wan's task id; never leaves through the API. */
  id: string;
  /** Wan's own word for the task's state. */
  status: string;
  region: string;
  request_id?: string;
  submit_time: string;
  scheduled_time?: string;
  end_time?: string;
  /** When Wan forgets the task and its video: 24 hours after the submit. */
  expires_at: string;
  /** How long such a task usually took when it was created: progress and expected finish follow from it. */
  expected_seconds: number;
  /** Paid attempts so far. */
  attempts: number;
  /** The prompt as Wan's rewriting left it, where it tells. */
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
  input: VideoInput;
  parameters: VideoParameters;
  source: Source;
  metadata: Record<string, string>;
  warnings: Warning[];
  /** Fingerprint of the request's body: the same Idempotency-Key with another body is a conflict. */
  request_hash: string;
  image?: StoredImage;
  audio?: StoredAudio;
  /** What the video will cost if it succeeds; undefined where no price is known. */
  estimated_cost?: Price;
  /** `YYYY-MM` (UTC) of its creation, or of its last retry: the month whose spending limit it counts against. */
  spending_month: string;
  /** How often a workflow was started for this video; part of the execution's name. */
  run: number;
  /** Runs that tell nothing of the present attempt: before a retry, or ended by what is no fault of the video's. */
  earlier_runs?: number;
  submission?: Submission;
  /** How many downloads of the finished video were begun. */
  downloads?: number;
  task?: Task;
  /** How many tasks at Wan became this video's since its request or its last retry: one, or money was lost. */
  upstream_tasks?: number;
  video?: ArchivedVideo;
  usage?: Usage;
  cost?: Price;
  error?: Failure;
  timeline: TimelineEntry[];
}

/** How often the present attempt was started. */
export const runsOf = ({ run, earlier_runs = 0 }: Pick<VideoRecord, 'run' | 'earlier_runs'>): number =>
  run - earlier_runs;

const terminal: ReadonlySet<Status> = new Set(['succeeded', 'failed', 'canceled']);

/** Whether nothing will happen to a video of this status by itself. */
export const isTerminal = (status: Status): boolean => terminal.has(status);

/**
 * Where a video may go from where it is. `submitting → queued` gives the permit back when the lane is held (a wrong key, arrears);
 * a caller's explicit retry leads from `failed` or `canceled` back: to `queued` for a new attempt, or to where the task is that Wan
 * still has.
 */
const next: Record<Status, readonly Status[]> = {
  queued: ['submitting', 'failed', 'canceled'],
  submitting: ['running', 'queued', 'failed', 'canceled'],
  running: ['archiving', 'failed', 'canceled'],
  archiving: ['succeeded', 'failed'],
  succeeded: [],
  failed: ['queued', 'running', 'archiving'],
  canceled: ['queued', 'running', 'archiving'],
};

/** The one rule of a video's life: whether it may go from one status to another. */
export const isLegalTransition = (from: Status, to: Status): boolean => next[from].includes(to);

/** The calendar month of a time, as spending is counted. @param now milliseconds since 1970 */
export const monthOf = (now: number): string => new Date(now).toISOString().slice(0, 7);
