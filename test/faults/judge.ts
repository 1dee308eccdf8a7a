import type { VideoRecord } from '../../functions/video/record.ts';
import type { LastState } from './last-state.ts';
import type { AskedFor } from './wanted-videos.ts';
import { dropKeyOf } from './wanted-videos.ts';

/**
 * Without being woken an execution notices the end of its task after 3 minutes, and everything here is typically faster than that. What
 * goes wrong afterwards may take 2 minutes more.
 */
const LONGEST_LAG_SECONDS = 180 + 120;

/** Everything that is not as it must be when all is over; empty when all is well. */
export async function judge(state: LastState, asked: readonly AskedFor[]): Promise<string[]> {
  return [
    ...asked.flatMap((video) => faultsOfVideo(state, video)),
    ...faultsOfTasks(state, asked),
    ...(await faultsOfFiles(state)),
    ...leftovers(state),
    ...strangers(state, asked),
  ];
}

function faultsOfVideo(state: LastState, asked: AskedFor): string[] {
  const { wanted, id } = asked;
  const name = `video ${wanted.index} (${id})`;
  const video = state.videos.get(id);
  if (asked.deleted) return video ? [`${name} was deleted and is there`] : [];
  if (!video) return [`${name} is gone`];
  return [
    ...(explains(asked, video) ? [] : [`${name} is ${video.status}: ${JSON.stringify(video.error)}`]),
    ...(video.submission?.state === 'open' && video.error?.code !== 'submission_uncertain'
      ? [`${name} is ${video.status} and its ledger is open`]
      : []),
    ...(lagOf(video) <= LONGEST_LAG_SECONDS ? [] : [`${name} noticed the end of its task after ${lagOf(video)} s`]),
    ...(video.open_status === undefined
      ? []
      : [`${name} is ${video.status} and stands in the index as ${video.open_status}`]),
  ];
}

/** How long after the end of its task a video that succeeded noticed it, in seconds; 0 where there was nothing to notice. */
export function lagOf({ status, task, timeline }: VideoRecord): number {
  const noticed = timeline.findLast((entry) => entry.status === 'archiving')?.at;
  if (status !== 'succeeded' || noticed === undefined || task?.end_time === undefined) return 0;
  return (Date.parse(noticed) - Date.parse(task.end_time)) / 1000;
}

/** The values by a name that each has. */
function grouped<Value, Name>(values: readonly Value[], nameOf: (value: Value) => Name): Map<Name, Value[]> {
  const groups = new Map<Name, Value[]>();
  for (const value of values) groups.set(nameOf(value), [...(groups.get(nameOf(value)) ?? []), value]);
  return groups;
}

/** Whether a video ended as its caller's wishes explain. */
function explains({ wanted, canceled }: AskedFor, { status, error }: VideoRecord): boolean {
  if (canceled) return status === 'canceled';
  if (wanted.fails) return status === 'failed' && error?.code === 'content_refused';
  // Of two that ask for the same, both of whose answers were lost, nobody can tell whose task is whose.
  if (isTwin(wanted)) return status === 'succeeded' || error?.code === 'submission_uncertain';
  return status === 'succeeded';
}

const isTwin = ({ prompt }: AskedFor['wanted']): boolean => prompt.startsWith('The same');

/** At most one task a video unless its caller retried; which of two twins a task belongs to can't be told, so they are counted together. */
function faultsOfTasks({ tasks }: LastState, asked: readonly AskedFor[]): string[] {
  const groups = grouped(asked, ({ wanted }) => (isTwin(wanted) ? wanted.prompt : String(wanted.index)));
  const nameOf = new Map(
    asked.map(({ wanted }) => [wanted.index, isTwin(wanted) ? wanted.prompt : String(wanted.index)]),
  );
  const made = grouped(tasks, ({ seed }) => nameOf.get(seed) ?? `nobody (seed ${seed})`);
  return [...made].flatMap(([name, tasks]) => {
    const videos = groups.get(name) ?? [];
    const most = videos.reduce((sum, { retries }) => sum + 1 + retries, 0);
    const ids = tasks.map(({ task_id }) => task_id).join(', ');
    return tasks.length > most
      ? [`video ${name} was paid for ${tasks.length} times, at most ${most} was asked: ${ids}`]
      : [];
  });
}

/** The bucket holds the files of the videos that succeeded, each as Wan served it, their metadata, and nothing else. */
async function faultsOfFiles(state: LastState): Promise<string[]> {
  const files = [...state.videos.values()].flatMap(({ id, video, task }) => (video ? [{ id, video, task }] : []));
  const expected = new Set(files.flatMap(({ video: { key } }) => [key, key.replace(/mp4$/, 'json')]));
  const faults: string[] = [];
  for (const { id, video, task } of files) {
    const bytes = await state.sha256Of(video.key).catch((error: Error) => error.name);
    if (bytes !== video.sha256) faults.push(`${id}: ${video.key} is ${bytes}, its record says ${video.sha256}`);
    const served = state.served.get(task?.id ?? '');
    if (bytes !== served) faults.push(`${id}: ${video.key} is ${bytes}, Wan served ${served}`);
  }
  const times = grouped(state.objects, (key) => key);
  const missing = [...expected].filter((key) => !times.has(key)).map((key) => `${key} is missing`);
  const others = [...times.keys()].filter((key) => !expected.has(key)).map((key) => `${key} is nobody's`);
  const doubles = [...times]
    .filter(([, versions]) => versions.length > 1)
    .map(([key]) => `${key} is there more than once`);
  return [...faults, ...missing, ...others, ...doubles];
}

/** Everything that would say that something is still under way. */
function leftovers({ lanes, waits, spending, markers, runningExecutions, deadLetters }: LastState): string[] {
  const permits = lanes.flatMap(({ pk, running }) => [...(running ?? [])].map((id) => `${pk}: ${id} holds a permit`));
  const reserved = spending.flatMap(({ pk, reserved = {}, committed, spent = 0 }) => [
    ...Object.keys(reserved).map((id) => `${pk}: money is set aside for ${id}`),
    ...(committed === spent ? [] : [`${pk}: ${committed} committed, ${spent} spent`]),
  ]);
  return [
    ...permits,
    ...waits.flatMap(({ pk, open_status }) => (open_status === undefined ? [] : [`${pk} is open`])),
    ...reserved,
    ...runningExecutions.map((name) => `the execution ${name} is running`),
    ...(markers > 0 ? [`${markers} deletion markers lie in the bucket`] : []),
    ...Object.entries(deadLetters).map(([queue, count]) => `${count} events in ${queue}`),
  ];
}

/** Nobody asked for these. */
function strangers({ videos, tasks }: LastState, asked: readonly AskedFor[]): string[] {
  const ids = new Set(asked.map(({ id }) => id));
  const dropped = grouped(
    [...videos.values()].filter(({ source }) => source.type === 'drop'),
    ({ source }) => (source.type === 'drop' ? source.key : ''),
  );
  return [
    ...[...videos.keys()].filter((id) => !ids.has(id)).map((id) => `nobody asked for the video ${id}`),
    ...asked
      .filter(({ wanted }) => (dropped.get(dropKeyOf(wanted))?.length ?? 0) > 1)
      .map(({ wanted }) => `${dropKeyOf(wanted)} became more than one video`),
    ...(tasks.length === 0 ? ['Wan was given no task'] : []),
  ];
}
