import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findModel } from './models.ts';
import { scheduleTasks } from './schedule.ts';
import { sha256 } from './sha256.ts';
import type { Task, TaskTimes } from './task.ts';
import { uploadRetention } from './time.ts';
import { writeFileWhole } from './write-file.ts';

export interface Store {
  /** Adds a task or replaces the one with its id. It is on disk when the promise resolves. */
  save(task: Task): Promise<void>;
  find(taskId: string): Task | undefined;
  /** Returns every task in the order of submission. */
  all(): Task[];
  timesOf(task: Task): TaskTimes;
  /** Stores a file of a request by the hash of its content. @returns the file's name */
  storeInput(content: Uint8Array, extension: string): Promise<string>;
  inputPath(file: string): string;
}

/**
 * Opens the tasks in a directory: a JSON file for each task, and the files they use. Deletes expired tasks and
 * unused inputs first.
 */
export async function openStore(options: {
  readonly directory: string;
  readonly now: () => number;
  /** Whether the models' limits of concurrent tasks are enforced. */
  readonly concurrency: boolean;
}): Promise<Store> {
  const taskDirectory = join(options.directory, 'tasks');
  const inputDirectory = join(options.directory, 'inputs');
  await mkdir(taskDirectory, { recursive: true });
  await mkdir(inputDirectory, { recursive: true });
  const tasks = await loadTasks(taskDirectory, options.now() - uploadRetention);
  await deleteUnusedInputs(inputDirectory, new Set([...tasks.values()].flatMap(inputsOf)));
  const writes = new Map<string, Promise<void>>();
  const schedules = new Map<string, Map<string, TaskTimes>>();
  const queueOf = (task: Task) => `${task.account} ${task.model}`;

  return {
    async save(task) {
      tasks.set(task.task_id, task);
      schedules.delete(queueOf(task));
      // One write per task at a time, each of the newest state, so that no older state overwrites it.
      const path = join(taskDirectory, `${task.task_id}.json`);
      const written = (writes.get(task.task_id) ?? Promise.resolve())
        .catch(() => {})
        .then(() => writeFileWhole(path, JSON.stringify(tasks.get(task.task_id))));
      writes.set(task.task_id, written);
      await written.finally(() => writes.get(task.task_id) === written && writes.delete(task.task_id));
    },
    find: (taskId) => tasks.get(taskId),
    all: () => [...tasks.values()],
    timesOf(task) {
      let schedule = schedules.get(queueOf(task));
      if (!schedule) {
        const slots = options.concurrency ? findModel(task.model)?.concurrentTasks : undefined;
        const tasksOfQueue = [...tasks.values()].filter((other) => queueOf(other) === queueOf(task));
        schedule = scheduleTasks(tasksOfQueue, slots ?? Number.POSITIVE_INFINITY);
        schedules.set(queueOf(task), schedule);
      }
      return schedule.get(task.task_id) ?? { start: Infinity, end: Infinity, overdue: false };
    },
    async storeInput(content, extension) {
      const file = `${sha256(content)}.${extension}`;
      if (!(await exists(join(inputDirectory, file)))) await writeFileWhole(join(inputDirectory, file), content);
      return file;
    },
    inputPath: (file) => join(inputDirectory, file),
  };
}

async function loadTasks(directory: string, oldest: number): Promise<Map<string, Task>> {
  const loaded: Task[] = [];
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const task = name.endsWith('.json') ? (JSON.parse(await readFile(path, 'utf8')) as Task) : undefined;
    if (task && task.submitted_at > oldest) loaded.push(task);
    else await rm(path);
  }
  loaded.sort((one, other) => one.submitted_at - other.submitted_at);
  return new Map(loaded.map((task) => [task.task_id, task]));
}

async function deleteUnusedInputs(directory: string, needed: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(directory)) if (!needed.has(name)) await rm(join(directory, name));
}

function inputsOf(task: Task): string[] {
  return task.media.map(({ file }) => file);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
