import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { deadlineOf, expiry } from '../ledger/task-lifetime.ts';
import { indexes } from '../shared/table-schema.ts';
import { keys } from '../video/keys.ts';
import type { Task, VideoRecord } from '../video/record.ts';
import { getItem, queryItems, type Table, updateItem } from '../video/table.ts';

/*
 * An execution that waits for its task has an item, `wait#<video id>`. The state machine writes it with the execution's task token
 * (infra/workflow/wait-for-end.ts); the watcher wakes the execution with that token; CheckTask closes the item once the task has
 * ended. The keys-only status index lists open items, so the token is in no index.
 */

/** The index partition of open wait items. Its sort key is `<model>#<task id>`. */
export const WAITING = 'waiting';

/** The shortest and the longest time for which an execution sleeps when nothing wakes it, in seconds. */
const TIMEOUT_SECONDS = { least: 180, most: 900 };

/** How long the watcher leaves a task alone that it woke too early, in seconds: doubled each time, from the least to the most. */
const PAUSE_SECONDS = { least: 10, most: 900 };

/** What the state WaitForEnd needs, as its parameters take it: numbers for DynamoDB are texts. */
export interface Wait {
  /** Of the wait item. */
  key: string;
  run: string;
  task_id: string;
  model: string;
  /** ISO 8601 UTC. */
  submit_time: string;
  /** Sort key in the status index. */
  order: string;
  /** Milliseconds since 1970 before which the watcher does not wake the execution. */
  wake_after: string;
  /** Seconds since 1970 after which DynamoDB may delete the item. */
  ttl: string;
  /** A whole number of at least 1: how long the execution sleeps when nothing wakes it. */
  timeout_seconds: number;
  /** How long the watcher leaves this task alone, because it woke it too early; 0 if it did not. */
  pause_seconds: number;
}

/**
 * How an execution waits for its task: until the watcher wakes it, or for twice the time that such tasks take, for as long again as the
 * task has taken when that is more (3 to 15 minutes), and never past the time at which the task is given up. So a day without a watcher
 * is about 100 sleeps.
 * @param typicalSeconds how long such tasks take
 * @param pauseSeconds 0, or how long the watcher leaves the task alone
 */
export function waitFor(
  video: VideoRecord & { task: Task },
  { now, typicalSeconds, pauseSeconds = 0 }: { now: number; typicalSeconds: number; pauseSeconds?: number },
): Wait {
  const { id, run, model, task } = video;
  const age = (now - Date.parse(task.submit_time)) / 1000;
  const usual = Math.min(TIMEOUT_SECONDS.most, Math.max(TIMEOUT_SECONDS.least, 2 * typicalSeconds, age));
  const left = (deadlineOf(task.expires_at) - now) / 1000;
  return {
    key: keys.wait(id),
    run: String(run),
    task_id: task.id,
    model,
    submit_time: task.submit_time,
    order: `${model}#${task.id}`,
    wake_after: String(now + pauseSeconds * 1000),
    ttl: String(expiry(now)),
    timeout_seconds: Math.max(1, Math.ceil(Math.min(usual, left))),
    pause_seconds: pauseSeconds,
  };
}

/** The pause after another wake that came too early. */
export const longerPause = (pauseSeconds: number): number =>
  Math.min(PAUSE_SECONDS.most, Math.max(PAUSE_SECONDS.least, 2 * pauseSeconds));

/** An execution that waits, as the index lists it. */
export interface Waiting {
  id: string;
  model: string;
  task_id: string;
}

/** All executions that wait. The index trails the table by moments. */
export async function listWaiting(table: Table): Promise<Waiting[]> {
  const waiting: Waiting[] = [];
  const query = {
    IndexName: indexes.byStatus.name,
    KeyConditionExpression: 'open_status = :waiting',
    ExpressionAttributeValues: { ':waiting': WAITING },
  };
  for await (const { pk, open_order } of queryItems(table, query)) {
    const [model = '', task_id = ''] = String(open_order).split('#');
    waiting.push({ id: keys.readWait(String(pk)), model, task_id });
  }
  return waiting;
}

/** Whether any execution waits. */
export async function anyWaiting(table: Table): Promise<boolean> {
  const { Items = [] } = await table.client.send(
    new QueryCommand({
      TableName: table.tableName,
      IndexName: indexes.byStatus.name,
      KeyConditionExpression: 'open_status = :waiting',
      ExpressionAttributeValues: { ':waiting': WAITING },
      Limit: 1,
    }),
  );
  return Items.length > 0;
}

/** What the watcher needs of a wait item. */
export interface WaitItem {
  submit_time: string;
  /** Absent while the execution is not asleep. */
  token?: string;
  /** Milliseconds since 1970. */
  wake_after: number;
}

/** The wait item of a video (strongly consistent). */
export const readWait = (table: Table, id: string): Promise<WaitItem | undefined> => getItem(table, keys.wait(id));

/** Removes a token that was used, unless the execution has written another one meanwhile. */
export async function removeToken(table: Table, id: string, token: string): Promise<void> {
  await updateItem(table, keys.wait(id), {
    UpdateExpression: 'REMOVE #token',
    ConditionExpression: '#token = :token',
    ExpressionAttributeNames: { '#token': 'token' },
    ExpressionAttributeValues: { ':token': token },
  });
}

/**
 * Closes the wait item of a video whose run has nothing to wait for any more. What is left of it expires, and keeps an execution of an
 * older run from waiting in its place.
 */
export async function closeWait(table: Table, { id, run }: { id: string; run: number }): Promise<void> {
  await updateItem(table, keys.wait(id), {
    UpdateExpression: 'REMOVE open_status, open_order, #token',
    ConditionExpression: '#run <= :run',
    ExpressionAttributeNames: { '#run': 'run', '#token': 'token' },
    ExpressionAttributeValues: { ':run': run },
  });
}
