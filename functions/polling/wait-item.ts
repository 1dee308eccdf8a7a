import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { deadlineOf, itemExpiry } from '../ledger/task-lifetime.ts';
import { indexes } from '../shared/table-schema.ts';
import { keys } from '../video/keys.ts';
import type { Task, VideoRecord } from '../video/record.ts';
import { getItem, queryItems, type Table, updateItem } from '../video/table.ts';

/*
 * An execution that waits for its task has an item, `wait#<video id>`. The state machine writes it with the execution's task token
 * (infra/workflow/wait-for-end.ts), the watcher wakes the execution with the token, and CheckTask closes the item after the task has
 * ended. The status index lists open items. It is keys-only, so the token is in no index.
 */

/** The index partition of open wait items. Its sort key is `<model>#<task id>`. */
export const WAITING = 'waiting';

/** The range of WaitForEnd's timeout, in seconds. */
const TIMEOUT_SECONDS = { min: 180, max: 900 };

/** The range of the watcher's pause after premature wakes of one task, in seconds. Each one doubles the pause. */
const PAUSE_SECONDS = { min: 10, max: 900 };

/** The input of the state WaitForEnd, in the form of its parameters: DynamoDB's numbers are strings. */
export interface Wait {
  /** Partition key of the wait item. */
  key: string;
  run: string;
  task_id: string;
  model: string;
  /** ISO 8601 UTC. */
  submit_time: string;
  /** Sort key in the status index. */
  order: string;
  /** The watcher wakes the execution only after this time, milliseconds since 1970. */
  wake_after: string;
  /** The item's time to live, seconds since 1970. */
  ttl: string;
  /** After how many seconds the execution wakes by itself: a whole number of at least 1. */
  timeout_seconds: number;
  /** The watcher's current pause for this task in seconds; 0 without a premature wake. */
  pause_seconds: number;
}

/**
 * Returns the input of WaitForEnd. Its timeout is twice the typical duration or the task's age, whichever is more, within 3 to 15
 * minutes and never past the task's deadline. A day without a watcher is about 100 waits.
 * @param typicalSeconds the typical duration of such tasks
 * @param pauseSeconds the watcher's pause for this task
 */
export function waitFor(
  video: VideoRecord & { task: Task },
  { now, typicalSeconds, pauseSeconds = 0 }: { now: number; typicalSeconds: number; pauseSeconds?: number },
): Wait {
  const { id, run, model, task } = video;
  const age = (now - Date.parse(task.submit_time)) / 1000;
  const usual = Math.min(TIMEOUT_SECONDS.max, Math.max(TIMEOUT_SECONDS.min, 2 * typicalSeconds, age));
  const remaining = (deadlineOf(task.expires_at) - now) / 1000;
  return {
    key: keys.wait(id),
    run: String(run),
    task_id: task.id,
    model,
    submit_time: task.submit_time,
    order: `${model}#${task.id}`,
    wake_after: String(now + pauseSeconds * 1000),
    ttl: String(itemExpiry(now)),
    timeout_seconds: Math.max(1, Math.ceil(Math.min(usual, remaining))),
    pause_seconds: pauseSeconds,
  };
}

/** Returns the pause after another premature wake. */
export const longerPause = (pauseSeconds: number): number =>
  Math.min(PAUSE_SECONDS.max, Math.max(PAUSE_SECONDS.min, 2 * pauseSeconds));

/** A waiting execution, as the index lists it. */
export interface WaitingExecution {
  id: string;
  model: string;
  task_id: string;
}

/** Returns all waiting executions (eventually consistent). */
export async function listWaiting(table: Table): Promise<WaitingExecution[]> {
  const waiting: WaitingExecution[] = [];
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

/** Whether any execution waits (eventually consistent). */
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

/** The attributes of a wait item that the watcher reads. */
export interface WaitItem {
  submit_time: string;
  /** Absent while the execution is not in WaitForEnd. */
  token?: string;
  /** Milliseconds since 1970. */
  wake_after: number;
}

/** Returns the wait item of a video (strongly consistent). */
export const readWait = (table: Table, id: string): Promise<WaitItem | undefined> => getItem(table, keys.wait(id));

/** Removes a used token, unless the execution has written a new one meanwhile. */
export async function removeToken(table: Table, id: string, token: string): Promise<void> {
  await updateItem(table, keys.wait(id), {
    UpdateExpression: 'REMOVE #token',
    ConditionExpression: '#token = :token',
    ExpressionAttributeNames: { '#token': 'token' },
    ExpressionAttributeValues: { ':token': token },
  });
}

/**
 * Closes the wait item of a video whose run no longer waits. The rest of the item expires by its time to live; until then it prevents
 * executions of older runs from waiting.
 */
export async function closeWait(table: Table, { id, run }: { id: string; run: number }): Promise<void> {
  await updateItem(table, keys.wait(id), {
    UpdateExpression: 'REMOVE open_status, open_order, #token',
    ConditionExpression: '#run <= :run',
    ExpressionAttributeNames: { '#run': 'run', '#token': 'token' },
    ExpressionAttributeValues: { ':run': run },
  });
}
