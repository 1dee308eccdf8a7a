import { createHash } from 'node:crypto';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { keys } from '../video/keys.ts';
import type { Table } from '../video/table.ts';
import { conditionally } from '../video/table.ts';

/** Which of a model's tasks were going on when all of them were last looked at together. */
export interface Look {
  /** When it began, milliseconds since 1970: what it says was true at that time or later. */
  made_at: number;
  /** How many tasks were going on. */
  size: number;
  /** Until when somebody has taken it upon himself to repeat it, milliseconds since 1970. */
  leased_until?: number | undefined;
  /** How a task stood; undefined for one that was not among them, which proves nothing. */
  statusOf(taskId: string): GoingOn | undefined;
}

export type GoingOn = 'PENDING' | 'RUNNING';

/** Whoever makes a look is done, or has died, after this time. */
const LEASE_MILLISECONDS = 10_000;

/** Clocks differ by less: a look from further in the future was made before somebody's clock was set back. */
const AHEAD_MILLISECONDS = 5000;

/**
 * A task is written down as so many characters of its id's SHA-256, 60 bits: a thousand take 10 KB, of the 400 KB that an item holds
 * and of a read's price. Should two look alike, one of them is noticed when the other has ended too.
 */
const FINGERPRINT_CHARACTERS = 10;

/** The last look at a model's tasks (strongly consistent). */
export async function readLook(table: Table, model: string): Promise<Look | undefined> {
  const { Item } = await table.client.send(
    new GetCommand({ TableName: table.tableName, Key: { pk: keys.look(model) }, ConsistentRead: true }),
  );
  if (typeof Item?.made_at !== 'number') return undefined;
  const [pending, running] = readFingerprints(String(Item.tasks));
  return { ...lookOf(Item.made_at, pending ?? new Set(), running ?? new Set()), leased_until: Item.leased_until };
}

/** How old a look is, in milliseconds. One from the future says nothing of now: it is older than any. */
export function ageOf(look: Look | undefined, now: number): number {
  const isPossible = look !== undefined && look.made_at <= now + AHEAD_MILLISECONDS;
  return isPossible ? now - look.made_at : Number.POSITIVE_INFINITY;
}

/**
 * Takes it upon oneself to look, so that nobody else does.
 * @param last the look that is to be replaced
 * @returns false when somebody else is looking, or has looked since
 */
export async function leaseLook(table: Table, model: string, last: Look | undefined): Promise<boolean> {
  const now = table.now();
  // What is written costs by the item's size, even where its condition does not hold, and many ask at once.
  if (last?.leased_until !== undefined && last.leased_until > now) return false;
  const lease = new UpdateCommand({
    TableName: table.tableName,
    Key: { pk: keys.look(model) },
    UpdateExpression: 'SET leased_until = :until',
    ConditionExpression: `(attribute_not_exists(leased_until) OR leased_until <= :now) AND ${last ? 'made_at = :last' : 'attribute_not_exists(made_at)'}`,
    ExpressionAttributeValues: {
      ':until': now + LEASE_MILLISECONDS,
      ':now': now,
      ...(last ? { ':last': last.made_at } : {}),
    },
  });
  return (await conditionally(table.client.send(lease))) !== undefined;
}

/** Writes down what was seen, for everybody, unless a later look stands there. */
export async function writeLook(
  table: Table,
  model: string,
  made_at: number,
  seen: ReadonlyMap<string, GoingOn>,
): Promise<Look> {
  const [pending, running] = (['PENDING', 'RUNNING'] as const).map((status) =>
    [...seen].filter(([, stood]) => stood === status).map(([taskId]) => fingerprintOf(taskId)),
  ) as [string[], string[]];
  const write = new UpdateCommand({
    TableName: table.tableName,
    Key: { pk: keys.look(model) },
    UpdateExpression: 'SET made_at = :made_at, tasks = :tasks REMOVE leased_until',
    ConditionExpression: 'attribute_not_exists(made_at) OR made_at < :made_at OR made_at > :impossible',
    ExpressionAttributeValues: {
      ':made_at': made_at,
      ':impossible': table.now() + AHEAD_MILLISECONDS,
      ':tasks': `${pending.join('')}${separator}${running.join('')}`,
    },
  });
  await conditionally(table.client.send(write));
  return lookOf(made_at, new Set(pending), new Set(running));
}

const lookOf = (made_at: number, pending: ReadonlySet<string>, running: ReadonlySet<string>): Look => ({
  made_at,
  size: pending.size + running.size,
  statusOf: (taskId) => {
    const fingerprint = fingerprintOf(taskId);
    if (running.has(fingerprint)) return 'RUNNING';
    return pending.has(fingerprint) ? 'PENDING' : undefined;
  },
});

const fingerprintOf = (taskId: string): string =>
  createHash('sha256').update(taskId).digest('base64url').slice(0, FINGERPRINT_CHARACTERS);

/** No character of a fingerprint: pending tasks stand before it, running ones behind. */
const separator = '.';

const readFingerprints = (tasks: string): ReadonlySet<string>[] =>
  tasks.split(separator).map((part) => new Set(part.match(fingerprints)));

const fingerprints = new RegExp(`.{${FINGERPRINT_CHARACTERS}}`, 'g');
