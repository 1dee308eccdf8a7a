import type { VideoRecord } from '../../functions/video/record.ts';
import { eventIssues } from './judge-events.ts';
import type { LastState } from './last-state.ts';
import type { SubmittedVideo } from './wanted-videos.ts';
import { dropKeyOf } from './wanted-videos.ts';

/**
 * An execution that is not woken detects the end of its task after 3 minutes. Later issues may delay that by 2 minutes.
 */
const LONGEST_LAG_SECONDS = 180 + 120;

/** Returns everything that is wrong with the final state. */
export async function judge(state: LastState, submitted: readonly SubmittedVideo[]): Promise<string[]> {
  return [
    ...submitted.flatMap((video) => videoIssues(state, video)),
    ...taskIssues(state, submitted),
    ...(await fileIssues(state)),
    ...leftovers(state),
    ...unexpectedVideos(state, submitted),
    ...eventIssues(state, submitted),
  ];
}

function videoIssues(state: LastState, submitted: SubmittedVideo): string[] {
  const { wanted, id } = submitted;
  const name = `video ${wanted.index} (${id})`;
  const video = state.videos.get(id);
  if (submitted.deleted) return video ? [`${name} was deleted but exists`] : [];
  if (!video) return [`${name} is missing`];
  return [
    ...(isExpectedEnd(submitted, video) ? [] : [`${name} is ${video.status}: ${JSON.stringify(video.error)}`]),
    ...(video.submission?.state === 'open' && video.error?.code !== 'submission_uncertain'
      ? [`${name} is ${video.status} and its ledger is open`]
      : []),
    ...(lagOf(video) <= LONGEST_LAG_SECONDS ? [] : [`${name} detected the end of its task after ${lagOf(video)} s`]),
    ...(video.open_status === undefined
      ? []
      : [`${name} is ${video.status} and is in the index as ${video.open_status}`]),
  ];
}

/** Returns how late a succeeded video detected the end of its task, in seconds; 0 for other videos. */
export function lagOf({ status, task, timeline }: VideoRecord): number {
  const noticed = timeline.findLast((entry) => entry.status === 'archiving')?.at;
  if (status !== 'succeeded' || noticed === undefined || task?.end_time === undefined) return 0;
  return (Date.parse(noticed) - Date.parse(task.end_time)) / 1000;
}

/** Groups values by name. */
function grouped<Value, Name>(values: readonly Value[], nameOf: (value: Value) => Name): Map<Name, Value[]> {
  const groups = new Map<Name, Value[]>();
  for (const value of values) groups.set(nameOf(value), [...(groups.get(nameOf(value)) ?? []), value]);
  return groups;
}

/** Whether a video ended as its caller's actions imply. */
function isExpectedEnd({ wanted, canceled }: SubmittedVideo, { status, error }: VideoRecord): boolean {
  if (canceled) return status === 'canceled';
  if (wanted.fails) return status === 'failed' && error?.code === 'content_refused';
  // When both responses to two equal requests are lost, the owners of their tasks cannot be determined.
  if (isTwin(wanted)) return status === 'succeeded' || error?.code === 'submission_uncertain';
  return status === 'succeeded';
}

const isTwin = ({ prompt }: SubmittedVideo['wanted']): boolean => prompt.startsWith('The same');

/** Checks that each video has at most one task, plus one per retry. Tasks of equal requests are indistinguishable and counted together. */
function taskIssues({ tasks }: LastState, submitted: readonly SubmittedVideo[]): string[] {
  const groups = grouped(submitted, ({ wanted }) => (isTwin(wanted) ? wanted.prompt : String(wanted.index)));
  const nameOf = new Map(
    submitted.map(({ wanted }) => [wanted.index, isTwin(wanted) ? wanted.prompt : String(wanted.index)]),
  );
  const made = grouped(tasks, ({ seed }) => nameOf.get(seed) ?? `unknown (seed ${seed})`);
  return [...made].flatMap(([name, tasks]) => {
    const videos = groups.get(name) ?? [];
    const limit = videos.reduce((sum, { retries }) => sum + 1 + retries, 0);
    const ids = tasks.map(({ task_id }) => task_id).join(', ');
    return tasks.length > limit
      ? [`video ${name} was paid for ${tasks.length} times, at most ${limit} expected: ${ids}`]
      : [];
  });
}

/** Checks that the bucket holds exactly the files of succeeded videos, as Wan served them, and their metadata. */
async function fileIssues(state: LastState): Promise<string[]> {
  const files = [...state.videos.values()].flatMap(({ id, video, task }) => (video ? [{ id, video, task }] : []));
  const expected = new Set(files.flatMap(({ video: { key } }) => [key, key.replace(/mp4$/, 'json')]));
  const issues: string[] = [];
  for (const { id, video, task } of files) {
    const bytes = await state.sha256Of(video.key).catch((error: Error) => error.name);
    if (bytes !== video.sha256) issues.push(`${id}: ${video.key} is ${bytes}, the record has ${video.sha256}`);
    const served = state.served.get(task?.id ?? '');
    if (bytes !== served) issues.push(`${id}: ${video.key} is ${bytes}, Wan served ${served}`);
  }
  const times = grouped(state.objects, (key) => key);
  const missing = [...expected].filter((key) => !times.has(key)).map((key) => `${key} is missing`);
  const others = [...times.keys()].filter((key) => !expected.has(key)).map((key) => `${key} is unexpected`);
  const doubles = [...times]
    .filter(([, versions]) => versions.length > 1)
    .map(([key, versions]) => `${key} has ${versions.length} versions`);
  return [...issues, ...missing, ...others, ...doubles];
}

/**
 * The event of the scheduled functions. Three attempts may fail, because a sweep makes hundreds of calls that faults can meet; the next
 * event does the same work, and `conclude` expects that it succeeds.
 */
export const scheduledEvent = '{}';

/** Checks that nothing is in progress or reserved. */
function leftovers({ modelQueues, waits, spending, markers, runningExecutions, deadLetters }: LastState): string[] {
  const permits = modelQueues.flatMap(({ pk, running }) =>
    [...(running ?? [])].map((id) => `${pk}: ${id} holds a permit`),
  );
  const reserved = spending.flatMap(({ pk, reserved = {}, committed, spent = 0 }) => [
    ...Object.keys(reserved).map((id) => `${pk}: an amount is reserved for ${id}`),
    ...(committed === spent ? [] : [`${pk}: ${committed} committed, ${spent} spent`]),
  ]);
  return [
    ...permits,
    ...waits.flatMap(({ pk, open_status }) => (open_status === undefined ? [] : [`${pk} is open`])),
    ...reserved,
    ...runningExecutions.map((name) => `the execution ${name} is running`),
    ...(markers > 0 ? [`${markers} delete markers are in the bucket`] : []),
    ...deadLetters.filter(({ body }) => body !== scheduledEvent).map(({ queue, body }) => `${queue} has ${body}`),
  ];
}

/** Checks that every video and task was requested. */
function unexpectedVideos({ videos, tasks }: LastState, submitted: readonly SubmittedVideo[]): string[] {
  const ids = new Set(submitted.map(({ id }) => id));
  const dropped = grouped(
    [...videos.values()].filter(({ source }) => source.type === 'drop'),
    ({ source }) => (source.type === 'drop' ? source.key : ''),
  );
  return [
    ...[...videos.keys()].filter((id) => !ids.has(id)).map((id) => `the video ${id} is unexpected`),
    ...submitted
      .filter(({ wanted }) => (dropped.get(dropKeyOf(wanted))?.length ?? 0) > 1)
      .map(({ wanted }) => `${dropKeyOf(wanted)} became more than one video`),
    ...(tasks.length === 0 ? ['Wan has no task'] : []),
  ];
}
