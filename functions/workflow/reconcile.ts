import { claimTask, closeFence, ownerOfTask } from '../video/fence.ts';
import type { VideoRecord } from '../video/record.ts';
import type { Table } from '../video/store.ts';
import { modelOf } from '../video/task-request.ts';
import type { WanClient } from '../wan/client.ts';
import { isSamePrompt } from '../wan/prompt.ts';
import type { Task } from '../wan/query-task.ts';

/** How far Wan's clock and ours may differ, and how long a call to Wan can last: the window in which the lost task was created. */
const BEFORE_SECONDS = 60;
const AFTER_SECONDS = 180;

export interface ReconcileServices {
  table: Table;
  wan: Pick<WanClient, 'listTasks' | 'queryTask'>;
  /** How long to look before the request counts as never made; longer than a call to Wan can last (75 s). */
  uncertainSeconds: number;
}

export type Verdict =
  /** The lost task is found and now belongs to this video. */
  | { verdict: 'adopted'; task: Task }
  /** No such task exists: the request may be sent again. */
  | { verdict: 'absent' }
  /** Too early to say, or Wan does not answer: look again. */
  | { verdict: 'undecided' }
  /** More than one task or more than one video it might belong to: sending again could pay twice. */
  | { verdict: 'ambiguous' };

/**
 * Finds out what became of a call whose answer was lost, by Wan's own list: tasks of this model and time that no record owns and
 * whose prompt is this video's. While it looks, nobody else sends the same prompt to the same model.
 */
export async function reconcile(
  { table, wan, uncertainSeconds }: ReconcileServices,
  video: VideoRecord,
): Promise<Verdict> {
  const { sent_at, uncertain_since } = video.submission!;
  const fence = await closeFence(table, video);
  const candidates = await findCandidates({ table, wan }, video, Date.parse(sent_at));
  if (!candidates) return { verdict: 'undecided' };
  const othersUncertain = [...fence.uncertain].some((id) => id !== video.id);
  const othersSending = [...fence.in_flight].some((id) => !fence.uncertain.has(id));
  if (candidates.length > 1 || (candidates.length === 1 && othersUncertain)) return { verdict: 'ambiguous' };
  // A candidate may be the task of a video that has not yet written down that it owns it.
  if (othersSending) return { verdict: 'undecided' };
  const [task] = candidates;
  if (task)
    return (await claimTask(table, task.task_id, video.id)) ? { verdict: 'adopted', task } : { verdict: 'undecided' };
  const looked = (table.now() - Date.parse(uncertain_since ?? sent_at)) / 1000;
  return looked >= uncertainSeconds ? { verdict: 'absent' } : { verdict: 'undecided' };
}

/** Wan's tasks that may be the lost one, or undefined when Wan could not be asked. */
async function findCandidates(
  { table, wan }: Pick<ReconcileServices, 'table' | 'wan'>,
  video: VideoRecord,
  sentAt: number,
): Promise<Task[] | undefined> {
  const candidates: Task[] = [];
  const model = modelOf(video);
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
      const owner = await ownerOfTask(table, task_id);
      if (owner !== undefined && owner !== video.id) continue;
      const task = await wan.queryTask(task_id);
      if (task.outcome !== 'task') return undefined;
      if (isSamePrompt(model, video.input.prompt, task.orig_prompt)) candidates.push(task);
    }
  }
  return candidates;
}
