import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { conditionally } from './conditionally.ts';
import { keys } from './keys.ts';
import type { Table } from './store.ts';

/**
 * Wan answers 20 questions a second per account (facts, "Rate limits"): 15 are for the workflow, the rest for what callers cause. Turns
 * are for 14, so that one that comes late into the next second makes no sixteenth.
 */
const QUESTIONS_PER_SECOND = 14;
const INTERVAL_MILLISECONDS = Math.ceil(1000 / QUESTIONS_PER_SECOND);

/** Nobody's patience reaches so far: a moment further away was reserved by a clock that has been set back since. */
const FARTHEST_MILLISECONDS = 10 * 60_000;

/**
 * Reserves the next moment at which Wan may be asked about tasks, over all models and invocations: GCRA with a burst of one, in one
 * item, as a lane's submit clock (`reserveSlot`). So the limit holds by arithmetic however many ask.
 * @param patience how many milliseconds from now the moment may be at most; whoever gives up has reserved nothing
 * @returns milliseconds since 1970, never before now; undefined when all moments until then are taken
 */
export async function reserveQuestion(table: Table, patience: number): Promise<number | undefined> {
  for (;;) {
    const now = table.now();
    const behindOthers = await attempt(table, 'SET tat = tat + :interval', 'tat BETWEEN :now AND :latest', {
      ':interval': INTERVAL_MILLISECONDS,
      ':now': now,
      ':latest': now + patience,
    });
    if (behindOthers !== undefined) return behindOthers - INTERVAL_MILLISECONDS;
    const first = await attempt(
      table,
      'SET tat = :next',
      'attribute_not_exists(tat) OR tat < :now OR tat > :farthest',
      { ':next': now + INTERVAL_MILLISECONDS, ':now': now, ':farthest': now + FARTHEST_MILLISECONDS },
    );
    if (first !== undefined) return now;
    const tat = await readClock(table);
    if (tat > now + patience && tat <= now + FARTHEST_MILLISECONDS) return undefined;
  }
}

/** @returns the clock after the write, or undefined when the condition does not hold */
async function attempt(
  table: Table,
  update: string,
  condition: string,
  values: Record<string, number>,
): Promise<number | undefined> {
  const written = await conditionally(
    table.client.send(
      new UpdateCommand({
        TableName: table.tableName,
        Key: { pk: keys.queryClock },
        UpdateExpression: update,
        ConditionExpression: condition,
        ExpressionAttributeValues: values,
        ReturnValues: 'ALL_NEW',
      }),
    ),
  );
  return written && Number(written.Attributes?.tat);
}

async function readClock(table: Table): Promise<number> {
  const { Item } = await table.client.send(
    new GetCommand({ TableName: table.tableName, Key: { pk: keys.queryClock }, ConsistentRead: true }),
  );
  return Number(Item?.tat ?? 0);
}
