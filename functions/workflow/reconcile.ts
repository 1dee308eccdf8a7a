import { escalatePromptLock } from '../ledger/prompt-lock.ts';
import { claimTask, markAmbiguous, readTaskClaim, type TaskClaim } from '../ledger/submission.ts';
import { isExpired, taskExpiry } from '../ledger/task-lifetime.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import type { VideoRecord } from '../video/record.ts';
import type { Table } from '../video/table.ts';
import type { WanClient } from '../wan/client/client.ts';
import type { Task } from '../wan/client/query-task.ts';
import { isSamePrompt } from '../wan/prompt.ts';
import { modelOf } from './task-request.ts';

/** The search window around the ledger entry: clock skew before it, clock skew plus the duration of a call (75 s) after it. */
const WINDOW_BEFORE_SECONDS = 60;
const WINDOW_AFTER_SECONDS = 180;

export interface ReconcileServices {
  table: Table;
  wan: Pick<WanClient, 'listTasks' | 'queryTask'>;
  /** How long to search before the request counts as never received; longer than a call to Wan can last (75 s). */
  uncertainSeconds: number;
  recordMetric: RecordMetric;
  /** Called when several tasks match a video: the account paid twice, or another program submits with it. */
  onAmbiguous: (video: VideoRecord, taskIds: string[]) => void;
}

type Verdict =
  /** The lost task was found and claimed for this video. */
  | { verdict: 'adopted'; task: Task }
  /** No such task exists; the request may be sent again. */
  | { verdict: 'absent' }
  /** Too early to decide, or Wan did not respond; search again. */
  | { verdict: 'undecided' }
  /** Several tasks or several uncertain videos match; sending again could pay twice. */
  | { verdict: 'ambiguous' }
  /** Wan was unreachable until its tasks of that time expired; the outcome stays unknown. */
  | { verdict: 'expired' };

/**
 * Searches Wan's task list for the task of a call whose response was lost: same model, submission time and prompt, and owned by no
 * record. Meanwhile the prompt lock keeps other videos from sending the same prompt to the same model.
 */
export async function reconcile(
  { table, wan, uncertainSeconds, recordMetric, onAmbiguous }: ReconcileServices,
  video: VideoRecord,
): Promise<Verdict> {
  const { sent_at, uncertain_since } = video.submission!;
  if (isExpired({ expires_at: taskExpiry(sent_at) }, table.now())) return { verdict: 'expired' };
  const others = await escalatePromptLock(table, video);
  // A candidate may be the task of a concurrent submission that has not claimed it yet.
  if (others.sending) return { verdict: 'undecided' };
  const found = await findCandidates({ table, wan }, video, Date.parse(sent_at));
  if (!found) return { verdict: 'undecided' };
  const { candidates, missing_prompt } = found;
  if (candidates.length > 1) {
    recordMetric('UpstreamTasksPerVideo', candidates.length);
    onAmbiguous(
      video,
      candidates.map(({ task }) => task.task_id),
    );
  }
  const own = candidates.find(({ claim }) => claim.video_id === video.id);
  if (own) return { verdict: 'adopted', task: own.task };
  const [candidate] = candidates;
  if (candidate && (candidates.length > 1 || others.uncertain || candidate.claim.ambiguous)) {
    // After this video has ended, the other one must not adopt a task that may not be its own.
    for (const { task } of candidates) await markAmbiguous(table, task.task_id);
    return { verdict: 'ambiguous' };
  }
  if (candidate) {
    const { task } = candidate;
    return (await claimTask(table, task.task_id, video)) ? { verdict: 'adopted', task } : { verdict: 'undecided' };
  }
  const searchedSeconds = (table.now() - Date.parse(uncertain_since ?? sent_at)) / 1000;
  return searchedSeconds >= uncertainSeconds && !missing_prompt ? { verdict: 'absent' } : { verdict: 'undecided' };
}

interface SearchResult {
  /** Tasks that may be the lost one. */
  candidates: { task: Task; claim: TaskClaim }[];
  /** Whether a task has no prompt yet, so that an empty result is not conclusive. */
  missing_prompt: boolean;
}

/** Returns the candidates in Wan's list, or undefined when a query failed. */
async function findCandidates(
  { table, wan }: Pick<ReconcileServices, 'table' | 'wan'>,
  video: VideoRecord,
  sentMilliseconds: number,
): Promise<SearchResult | undefined> {
  const found: SearchResult = { candidates: [], missing_prompt: false };
  const model = modelOf(video);
  // New tasks shift the rows, so a task may appear on two pages.
  const seen = new Set<string>();
  for (let page = 1, pages = 1; page <= pages; page++) {
    const list = await wan.listTasks({
      model: video.model,
      start_time: new Date(sentMilliseconds - WINDOW_BEFORE_SECONDS * 1000).toISOString(),
      end_time: new Date(sentMilliseconds + WINDOW_AFTER_SECONDS * 1000).toISOString(),
      page_no: page,
      page_size: 100,
    });
    if (list.outcome !== 'tasks') return undefined;
    pages = list.total_page;
    for (const { task_id } of list.tasks) {
      if (seen.has(task_id)) continue;
      seen.add(task_id);
      const claim = await readTaskClaim(table, task_id);
      const isOwn = claim.video_id === video.id && claim.attempt === video.submission!.attempt;
      if (claim.video_id !== undefined && !isOwn) continue;
      const task = await wan.queryTask(task_id);
      if (task.outcome !== 'task') return undefined;
      const { orig_prompt } = task;
      if (isOwn) found.candidates.push({ task, claim });
      else if (orig_prompt === undefined) found.missing_prompt ||= mayBePaid(task);
      else if (isSamePrompt(model, video.input.prompt, orig_prompt)) found.candidates.push({ task, claim });
    }
  }
  return found;
}

/** Only successful tasks are billed, so failed and canceled ones need no further search (reference, "Billing and rate limiting"). */
const mayBePaid = ({ status }: Task): boolean => status !== 'FAILED' && status !== 'CANCELED';
