import { escalatePromptLock } from '../ledger/prompt-lock.ts';
import { claimTask, markAmbiguous, readTaskClaim, type TaskClaim } from '../ledger/submission.ts';
import { expiryOf, isExpired } from '../ledger/task-lifetime.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import type { VideoRecord } from '../video/record.ts';
import type { Table } from '../video/table.ts';
import type { WanClient } from '../wan/client/client.ts';
import type { Task } from '../wan/client/query-task.ts';
import { isSamePrompt } from '../wan/prompt.ts';
import { modelOf } from './task-request.ts';

/** How far Wan's clock and ours may differ, and how long a call to Wan can last: the window in which the lost task was created. */
const BEFORE_SECONDS = 60;
const AFTER_SECONDS = 180;

export interface ReconcileServices {
  table: Table;
  wan: Pick<WanClient, 'listTasks' | 'queryTask'>;
  /** How long to look before the request counts as never made; longer than a call to Wan can last (75 s). */
  uncertainSeconds: number;
  recordMetric: RecordMetric;
  /** Told of a video that more than one task may belong to: somebody paid twice, or somebody else submits with this account. */
  onAmbiguous: (video: VideoRecord, taskIds: string[]) => void;
}

type Verdict =
  /** The lost task is found and now belongs to this video. */
  | { verdict: 'adopted'; task: Task }
  /** No such task exists: the request may be sent again. */
  | { verdict: 'absent' }
  /** Too early to say, or Wan does not answer: look again. */
  | { verdict: 'undecided' }
  /** More than one task or more than one video it might belong to: sending again could pay twice. */
  | { verdict: 'ambiguous' }
  /** Wan could not be asked for so long that it has forgotten every task of that time: nobody will ever know. */
  | { verdict: 'forgotten' };

/**
 * Finds out what became of a call whose answer was lost, by Wan's own list: tasks of this model and time that no record owns and
 * whose prompt is this video's. While it looks, nobody else sends the same prompt to the same model.
 */
export async function reconcile(
  { table, wan, uncertainSeconds, recordMetric, onAmbiguous }: ReconcileServices,
  video: VideoRecord,
): Promise<Verdict> {
  const { sent_at, uncertain_since } = video.submission!;
  if (isExpired({ expires_at: expiryOf(sent_at) }, table.now())) return { verdict: 'forgotten' };
  const others = await escalatePromptLock(table, video);
  // A candidate might be the task of a video that has not yet written down that it owns it.
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
  const [only] = candidates;
  if (only && (candidates.length > 1 || others.uncertain || only.claim.ambiguous)) {
    // When this video has ended, whoever is left must not take what may be another's for its own.
    for (const { task } of candidates) await markAmbiguous(table, task.task_id);
    return { verdict: 'ambiguous' };
  }
  if (only) {
    const { task } = only;
    return (await claimTask(table, task.task_id, video)) ? { verdict: 'adopted', task } : { verdict: 'undecided' };
  }
  const looked = (table.now() - Date.parse(uncertain_since ?? sent_at)) / 1000;
  return looked >= uncertainSeconds && !missing_prompt ? { verdict: 'absent' } : { verdict: 'undecided' };
}

interface Found {
  /** Tasks that may be the lost one. */
  candidates: { task: Task; claim: TaskClaim }[];
  /** Whether some task does not tell its prompt yet, so that "none" is no answer. */
  missing_prompt: boolean;
}

/** Looks through Wan's list, or undefined when Wan could not be asked. */
async function findCandidates(
  { table, wan }: Pick<ReconcileServices, 'table' | 'wan'>,
  video: VideoRecord,
  sentAt: number,
): Promise<Found | undefined> {
  const found: Found = { candidates: [], missing_prompt: false };
  const model = modelOf(video);
  // Tasks that are created meanwhile move the rows: one may come on two pages.
  const seen = new Set<string>();
  for (let page = 1, pages = 1; page <= pages; page++) {
    const list = await wan.listTasks({
      model,
      start_time: new Date(sentAt - BEFORE_SECONDS * 1000).toISOString(),
      end_time: new Date(sentAt + AFTER_SECONDS * 1000).toISOString(),
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

/** Only what succeeds is billed, so a task that ended otherwise is no reason to wait (reference, "Billing and rate limiting"). */
const mayBePaid = ({ status }: Task): boolean => status !== 'FAILED' && status !== 'CANCELED';
