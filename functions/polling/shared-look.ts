import { readLane } from '../queue/model-queue.ts';
import type { Table } from '../video/table.ts';
import type { ModelName } from '../wan/catalogue.ts';
import type { WanClient } from '../wan/client/client.ts';
import type { ListedTask, ListOutcome } from '../wan/client/list-tasks.ts';
import type { Company } from './check-schedule.ts';
import { ageOf, type GoingOn, type Look, leaseLook, readLook, writeLook } from './task-snapshot.ts';

/** From so many tasks at once on, one question about all of them is cheaper than one about each. */
const FEWEST_TASKS = 2;
/** Rows of a page, which is as many as are asked for. */
const PAGE_ROWS = 100;
/** A list of more pages, whoever's tasks they are, would take all turns at the query clock for longer than a look may last. */
const MOST_PAGES = 40;
/** Up to so many tasks at once, the newest page of tasks in whatever status has nearly all of them; more are listed by status. */
const ONE_PAGE_TASKS = 50;
/** A look is repeated when it is so old; each further page makes that a little later. */
const FRESH_MILLISECONDS = { first_page: 700, further_page: 100 };
/** While somebody else repeats it, an older one serves many tasks; where there are few, their checks fall together, and wait for it. */
const USABLE_MILLISECONDS = 10_000;
/** Many who have no look ask for one again, rather than each for its own task, until looks have failed for so long. */
const TRUSTED_MILLISECONDS = 30_000;
const WAITING = { times: 8, milliseconds: 250 };
/** How long a look's size is taken for how many tasks there are, without counting the lane's permits. */
const SIZE_KNOWN_MILLISECONDS = 20_000;
/** All pages of a look together may take so long. */
const LOOK_MILLISECONDS = 8000;
/** A list covers 16 hours at most; an older task is asked for by itself. Wan's clock may be ahead of ours by the last part. */
const SPAN_MILLISECONDS = { back: 15.5 * 3600_000, ahead: 60_000 };

export interface LookingServices {
  table: Table;
  wan: Pick<WanClient, 'listTasks'>;
  sleep: (milliseconds: number) => Promise<void>;
}

/** How many tasks looks serve. @param size of a look */
export const companyOf = ({ size }: Look): Company => (size <= ONE_PAGE_TASKS ? 'few' : 'many');

/**
 * A look at all of a model's tasks that is a few seconds old at most and serves all who ask: one of them makes it through Wan's list.
 * It says only which tasks were going on; one that is not among them may have ended, or have slipped between two pages, so
 * it is to be asked for by itself.
 * @returns undefined where asking for each task by itself is cheaper, or no look could be had; `soon` when one is being made and
 * there are too many to ask for each
 */
export async function sharedLook(services: LookingServices, model: ModelName): Promise<Look | 'soon' | undefined> {
  const { table } = services;
  const last = await readLook(table, model);
  const age = ageOf(last, table.now());
  const size = last && age < SIZE_KNOWN_MILLISECONDS ? last.size : (await readLane(table, model)).running.size;
  if (size < FEWEST_TASKS) return undefined;
  if (last && age < freshness(size)) return last;
  const usable = last && age < USABLE_MILLISECONDS && companyOf(last) === 'many' ? last : undefined;
  if (!(await leaseLook(table, model, last))) {
    if (usable) return usable;
    if (size > ONE_PAGE_TASKS && age < TRUSTED_MILLISECONDS) return 'soon';
    return waitForLook(services, model, last);
  }
  const made_at = table.now();
  const seen = await seeAll(services, model, size);
  return seen ? writeLook(table, model, made_at, seen) : usable;
}

/** The look that somebody else is making; undefined when that takes too long. */
async function waitForLook(
  { table, sleep }: LookingServices,
  model: ModelName,
  last: Look | undefined,
): Promise<Look | undefined> {
  for (let times = 0; times < WAITING.times; times++) {
    await sleep(WAITING.milliseconds);
    const look = await readLook(table, model);
    if (look && look.made_at !== last?.made_at) return look;
  }
  return undefined;
}

const freshness = (size: number): number =>
  FRESH_MILLISECONDS.first_page + Math.floor(size / PAGE_ROWS) * FRESH_MILLISECONDS.further_page;

/** The tasks that are going on, by id; undefined when Wan does not answer in time. */
async function seeAll(
  { table, wan }: LookingServices,
  model: ModelName,
  size: number,
): Promise<Map<string, GoingOn> | undefined> {
  const now = table.now();
  const signal = AbortSignal.timeout(LOOK_MILLISECONDS);
  const span = {
    model,
    start_time: new Date(now - SPAN_MILLISECONDS.back).toISOString(),
    end_time: new Date(now + SPAN_MILLISECONDS.ahead).toISOString(),
    page_size: PAGE_ROWS,
  };
  const page = (page_no: number, status?: GoingOn) =>
    wan.listTasks({ ...span, ...(status ? { status } : {}), page_no }, signal);
  const pages: ListOutcome[] = [];
  // A task that begins to run meanwhile is then seen twice rather than not at all.
  for (const status of size <= ONE_PAGE_TASKS ? [undefined] : (['PENDING', 'RUNNING'] as const)) {
    const first = await page(1, status);
    if (first.outcome !== 'tasks' || (status && first.total_page > MOST_PAGES)) return undefined;
    const further = status ? Array.from({ length: first.total_page - 1 }, (_, index) => page(index + 2, status)) : [];
    pages.push(first, ...(await Promise.all(further)));
  }
  const seen = new Map<string, GoingOn>();
  for (const each of pages) {
    if (each.outcome !== 'tasks') return undefined;
    for (const task of each.tasks) if (isGoingOn(task)) seen.set(task.task_id, task.status);
  }
  return seen;
}

const isGoingOn = (task: ListedTask): task is ListedTask & { status: GoingOn } =>
  task.status === 'PENDING' || task.status === 'RUNNING';
