import { keys } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';
import { billedSeconds } from '../wan/client/query-task.ts';
import type { Price } from '../wan/prices.ts';

/*
 * An owner's spending in a calendar month (invariant 8): one item, changed by conditional writes. Its amounts are whole millionths of
 * the currency unit, so that sums are exact. `committed` is the sum of spent and reserved amounts; limits apply to it.
 */

/** An owner's spending in a month, in units of the currency. */
export interface Spending {
  /** The cost of videos that Wan made, or may have billed. */
  spent: number;
  /** The estimated cost of videos in progress. */
  reserved: number;
  /** The number of videos in `spent`. */
  videos: number;
  models: { model: string; videos: number; spent: number }[];
}

/** One video's reserved amount, and the attempt it is for, so that a delayed process of an earlier attempt cannot release it. */
interface Reservation {
  amount: number;
  attempt: number;
}

/** A model's cost and number of videos are top-level attributes, because ADD can create those but no entries of a map. */
const spentOf = 'spent_of#';
const videosOf = 'videos_of#';

/** The DynamoDB item. */
interface Month {
  reserved?: Record<string, Reservation>;
  committed: number;
  spent?: number;
  videos?: number;
  [ofModel: `${typeof spentOf | typeof videosOf}${string}`]: number;
}

const MILLION = 1_000_000;
const toMillionths = (amount: number): number => Math.round(amount * MILLION);
const fromMillionths = (amount = 0): number => amount / MILLION;

/** Returns the number of the ledger's attempt. It only grows, also across retries of a video. */
const attemptOf = ({ submission }: VideoRecord): number => submission?.attempt ?? 0;

/** An unknown price does not prevent a video; its amount is 0. */
const amountOf = (price: Price | undefined): number => toMillionths(price?.amount ?? 0);

/**
 * Reserves a video's estimated cost for its attempt. Idempotent: a later attempt takes over the reservation of an earlier one.
 * @param limit what the owner may spend in the video's `spending_month`, in units of the currency
 * @returns false when that would exceed the limit, or a later attempt has reserved
 */
export async function reserveSpending(table: Table, video: VideoRecord, limit: number | undefined): Promise<boolean> {
  const reservation: Reservation = { amount: amountOf(video.estimated_cost), attempt: attemptOf(video) };
  const maxCommitted = limit === undefined ? Number.POSITIVE_INFINITY : toMillionths(limit) - reservation.amount;
  const isBounded = Number.isFinite(maxCommitted);
  for (;;) {
    const isReserved = await updateMonth(table, video, {
      UpdateExpression: 'SET reserved.#id = :reservation, committed = committed + :amount',
      ConditionExpression: `attribute_exists(reserved) AND attribute_not_exists(reserved.#id)${isBounded ? ' AND committed <= :max_committed' : ''}`,
      ExpressionAttributeNames: { '#id': video.id },
      ExpressionAttributeValues: {
        ':reservation': reservation,
        ':amount': reservation.amount,
        ...(isBounded ? { ':max_committed': maxCommitted } : {}),
      },
    });
    if (isReserved) return true;
    // Finds out why. If the item has changed since the failed write, the loop tries again.
    const month = await readMonth(table, video.owner, video.spending_month);
    const existing = month?.reserved?.[video.id];
    if (!month?.reserved) await createMonth(table, video);
    else if (!existing && month.committed > maxCommitted) return false;
    else if (existing && existing.attempt > reservation.attempt) return false;
    else if (existing && (await takeOver(table, video))) return true;
  }
}

/** Creates the month's item with an empty map: DynamoDB cannot set a path in a map that does not exist. */
const createMonth = (table: Table, video: VideoRecord) =>
  updateMonth(table, video, {
    UpdateExpression: 'SET reserved = :empty, committed = :zero',
    ConditionExpression: 'attribute_not_exists(reserved)',
    ExpressionAttributeValues: { ':empty': {}, ':zero': 0 },
  });

const takeOver = (table: Table, video: VideoRecord) =>
  updateMonth(table, video, {
    UpdateExpression: 'SET reserved.#id.attempt = :attempt',
    ConditionExpression: 'reserved.#id.attempt <= :attempt',
    ExpressionAttributeNames: { '#id': video.id },
    ExpressionAttributeValues: { ':attempt': attemptOf(video) },
  });

/**
 * Replaces a video's reservation by its cost: `archiving` and `succeeded` cost what Wan bills, a failure that Wan may have billed costs
 * the estimate, every other terminal status and `queued` cost nothing. Idempotent. A video in progress keeps its reservation.
 *
 * Must be called before a video in a terminal status is retried or replaced with a tombstone.
 */
export async function settleSpending(table: Table, video: VideoRecord): Promise<void> {
  if (video.status === 'submitting' || video.status === 'running') return;
  const month = await readMonth(table, video.owner, video.spending_month);
  const reservation = month?.reserved?.[video.id];
  if (!reservation || reservation.attempt > attemptOf(video)) return;
  // Every attempt reserves before it calls Wan, so an attempt that has not taken over the reservation cost nothing.
  await settle(table, video, reservation, reservation.attempt === attemptOf(video) ? paidAmount(video) : undefined);
}

/** Releases the reservation of an attempt that was not sent. A later attempt's reservation stays. */
export async function releaseSpending(table: Table, video: VideoRecord): Promise<void> {
  const month = await readMonth(table, video.owner, video.spending_month);
  const reservation = month?.reserved?.[video.id];
  if (reservation?.attempt === attemptOf(video)) await settle(table, video, reservation, undefined);
}

/** @param paid the cost of the video, or undefined when it cost nothing */
async function settle(
  table: Table,
  video: VideoRecord,
  { amount, attempt }: Reservation,
  paid: number | undefined,
): Promise<void> {
  const counters = paid === undefined ? '' : ' ADD spent :paid, videos :one, #spent :paid, #videos :one';
  await updateMonth(table, video, {
    UpdateExpression: `REMOVE reserved.#id SET committed = committed + :difference${counters}`,
    ConditionExpression: 'reserved.#id.attempt = :attempt AND reserved.#id.amount = :amount',
    ExpressionAttributeNames: {
      '#id': video.id,
      ...(paid === undefined ? {} : { '#spent': `${spentOf}${video.model}`, '#videos': `${videosOf}${video.model}` }),
    },
    ExpressionAttributeValues: {
      ':difference': (paid ?? 0) - amount,
      ':attempt': attempt,
      ':amount': amount,
      ...(paid === undefined ? {} : { ':paid': paid, ':one': 1 }),
    },
  });
}

/** Returns what an owner has spent and reserved in a month, `YYYY-MM` (strongly consistent). */
export async function readSpending(table: Table, owner: string, month: string): Promise<Spending> {
  const item = await readMonth(table, owner, month);
  const models = Object.keys(item ?? {})
    .filter((name) => name.startsWith(spentOf))
    .map((name) => name.slice(spentOf.length))
    .sort();
  return {
    spent: fromMillionths(item?.spent),
    reserved: fromMillionths((item?.committed ?? 0) - (item?.spent ?? 0)),
    videos: item?.videos ?? 0,
    models: models.map((model) => ({
      model,
      videos: item?.[`${videosOf}${model}`] ?? 0,
      spent: fromMillionths(item?.[`${spentOf}${model}`]),
    })),
  };
}

/** Whether a video of this price currently fits into the limit. Only a reservation guarantees it. */
export const isWithinLimit = (spending: Spending, price: Price | undefined, limit: number | undefined): boolean =>
  limit === undefined ||
  toMillionths(spending.spent) + toMillionths(spending.reserved) + amountOf(price) <= toMillionths(limit);

/** Returns what Wan billed, or may have billed, for a video; undefined when nothing. */
function paidAmount({ status, cost, usage, estimated_cost, error }: VideoRecord): number | undefined {
  switch (status) {
    case 'archiving':
    case 'succeeded': {
      if (cost) return amountOf(cost);
      const seconds = billedSeconds(usage);
      // At the unit price of the estimate: only the number of seconds may differ from the request.
      return seconds !== undefined && estimated_cost
        ? toMillionths(estimated_cost.unit_price * seconds)
        : amountOf(estimated_cost);
    }
    case 'failed':
      return error?.billed ? amountOf(estimated_cost) : undefined;
    default:
      return undefined;
  }
}

const readMonth = (table: Table, owner: string, month: string): Promise<Month | undefined> =>
  getItem(table, keys.spending(owner, month));

const updateMonth = async (
  table: Table,
  { owner, spending_month }: Pick<VideoRecord, 'owner' | 'spending_month'>,
  update: Parameters<typeof updateItem>[2],
): Promise<boolean> => (await updateItem(table, keys.spending(owner, spending_month), update)) !== undefined;
