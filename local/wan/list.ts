import { apiError, type Checked } from './errors.ts';
import type { TaskFinisher } from './finish-tasks.ts';
import { errorResponse, json, type WanResponse } from './http.ts';
import type { Store } from './store.ts';
import type { Task, TaskStatus } from './task.ts';
import { fromCompactWanTime, hour } from './time.ts';

const window = 24 * hour;

/** `GET /tasks/`: lists the account's tasks of at most 24 hours, newest first, in one flat object (facts, "Task management"). */
export async function listTasks(
  services: { readonly store: Store; readonly finisher: TaskFinisher; readonly now: () => number },
  account: string,
  query: URLSearchParams,
): Promise<WanResponse> {
  const range = timeRange(query, services.now());
  if ('error' in range) return errorResponse(range.error);
  const page = pageOf(query, 10);
  if ('error' in page) return errorResponse(page.error);

  const candidates = services.store
    .all()
    .filter(
      (task) =>
        task.account === account &&
        task.submitted_at >= range.value.start &&
        task.submitted_at <= range.value.end &&
        matches(query.get('task_id'), task.task_id) &&
        matches(query.get('model_name'), task.model),
    )
    .reverse();
  const finished = await Promise.all(candidates.map((task) => services.finisher.finishIfDue(task.task_id)));
  const found = finished.flatMap((entry) =>
    entry && entry.status !== 'UNKNOWN' && matches(query.get('status'), entry.status) ? [entry] : [],
  );
  const { number, size } = page.value;
  return json(200, {
    total: found.length,
    data: found.slice((number - 1) * size, number * size).map(({ task, status }) => row(services.store, task, status)),
    total_page: Math.ceil(found.length / size),
    page_no: number,
    page_size: size,
  });
}

function row(store: Store, task: Task, status: TaskStatus): Record<string, unknown> {
  const times = store.timesOf(task);
  const hasStarted = status !== 'PENDING' && status !== 'CANCELED';
  const hasEnded = status === 'SUCCEEDED' || status === 'FAILED';
  const end = hasEnded ? times.end : task.canceled_at;
  const caller = BigInt(`0x${task.account.slice(0, 12)}`)
    .toString()
    .padStart(16, '1');
  return {
    task_id: task.task_id,
    status,
    model_name: task.model,
    gmt_create: task.submitted_at,
    ...(hasStarted && { start_time: Math.min(times.start, times.end) }),
    ...(end !== undefined && { end_time: end }),
    region: 'ap-southeast-1',
    request_id: task.request_id,
    api_key_id: caller.slice(0, 6),
    caller_uid: caller,
    caller_parent_id: caller,
    user_api_unique_key: `apikey:v1:aigc:video-generation:video-synthesis:${task.model}`,
  };
}

function timeRange(query: URLSearchParams, now: number): Checked<{ start: number; end: number }> {
  const [startText, endText] = [query.get('start_time'), query.get('end_time')];
  const start = startText ? fromCompactWanTime(startText) : undefined;
  const end = endText ? fromCompactWanTime(endText) : undefined;
  if ((startText && start === undefined) || (endText && end === undefined)) {
    return { error: apiError('InvalidParameter', 'start_time and end_time must be of the form YYYYMMDDhhmmss') };
  }
  const last = end ?? (start === undefined ? now : start + window);
  const first = start ?? last - window;
  if (last < first || last - first > window) {
    return { error: apiError('InvalidParameter', 'end_time must be after start_time, at most 24 hours') };
  }
  // A filter has whole seconds; the last one is included.
  return { value: { start: first, end: end === undefined ? last : last + 999 } };
}

/** Reads `page_no` and `page_size`. */
export function pageOf(query: URLSearchParams, defaultSize: number): Checked<{ number: number; size: number }> {
  const number = Number(query.get('page_no') || 1);
  const size = Number(query.get('page_size') || defaultSize);
  return Number.isInteger(number) && number > 0 && Number.isInteger(size) && size > 0
    ? { value: { number, size } }
    : { error: apiError('InvalidParameter', 'page_no and page_size must be whole numbers above 0') };
}

function matches(wanted: string | null, value: string): boolean {
  return !wanted || wanted === value;
}
