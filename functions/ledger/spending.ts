import { keys } from '../video/keys.ts';
import type { VideoRecord } from '../video/record.ts';
import { getItem, type Table, updateItem } from '../video/table.ts';
import { billedSeconds } from '../wan/client/query-task.ts';
import type { Price } from '../wan/prices.ts';

/*
 * What an owner spends in a calendar month (invariant 8): one item, changed by one conditional write at a time. Amounts in it are
 * whole millionths of the currency, so that no sum ever drifts. `committed` is what was spent and what is reserved together: the one
 * number that a limit is held against.
 */

/** An owner's month. Amounts in units of the currency. */
export interface Spending {
  /** For videos that Wan made, and for those that it may have charged for. */
  spent: number;
  /** For videos that are being made. */
  reserved: number;
  /** How many videos `spent` paid for. */
  videos: number;
  models: { model: string; videos: number; spent: number }[];
}

/** What is set aside for one video: how much, and for which of its attempts, so that whoever comes late for an earlier one takes nothing from a later one. */
interface Reservation {
  amount: number;
  attempt: number;
}

/** What a model's videos cost, and how many there were: attributes of their own, since they are added to before they are there. */
const spentOf = 'spent_of#';
const videosOf = 'videos_of#';

/** The item. */
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

/** The attempt that the ledger tells of: its numbers only grow, also when a video is tried again. */
const attemptOf = ({ submission }: VideoRecord): number => submission?.attempt ?? 0;

/** A price that is not known is no reason to refuse a video, so it sets nothing aside. */
const amountOf = (price: Price | undefined): number => toMillionths(price?.amount ?? 0);

/**
 * Sets a video's estimated cost aside for its attempt. Reserving twice is reserving once: an attempt takes over what the one before it
 * had set aside.
 * @param limit what the owner may spend in the video's `spending_month`, in units of the currency
 * @returns false when that would exceed the limit, or a later attempt has reserved
 */
export async function reserveSpending(table: Table, video: VideoRecord, limit: number | undefined): Promise<boolean> {
  const reservation: Reservation = { amount: amountOf(video.estimated_cost), attempt: attemptOf(video) };
  const room = limit === undefined ? Number.POSITIVE_INFINITY : toMillionths(limit) - reservation.amount;
  const isBounded = Number.isFinite(room);
  for (;;) {
    const isReserved = await change(table, video, {
      UpdateExpression: 'SET reserved.#id = :reservation, committed = committed + :amount',
      ConditionExpression: `attribute_exists(reserved) AND attribute_not_exists(reserved.#id)${isBounded ? ' AND committed <= :room' : ''}`,
      ExpressionAttributeNames: { '#id': video.id },
      ExpressionAttributeValues: {
        ':reservation': reservation,
        ':amount': reservation.amount,
        ...(isBounded ? { ':room': room } : {}),
      },
    });
    if (isReserved) return true;
    // Why not? What has changed again by the time of this look is tried again.
    const month = await readMonth(table, video.owner, video.spending_month);
    const standing = month?.reserved?.[video.id];
    if (!month?.reserved) await open(table, video);
    else if (!standing && month.committed > room) return false;
    else if (standing && standing.attempt > reservation.attempt) return false;
    else if (standing && (await takeOver(table, video))) return true;
  }
}

/** A month in which nothing was spent yet has no map, and a path into a missing map is an error, not an insert. */
const open = (table: Table, video: VideoRecord) =>
  change(table, video, {
    UpdateExpression: 'SET reserved = :empty, committed = :zero',
    ConditionExpression: 'attribute_not_exists(reserved)',
    ExpressionAttributeValues: { ':empty': {}, ':zero': 0 },
  });

const takeOver = (table: Table, video: VideoRecord) =>
  change(table, video, {
    UpdateExpression: 'SET reserved.#id.attempt = :attempt',
    ConditionExpression: 'reserved.#id.attempt <= :attempt',
    ExpressionAttributeNames: { '#id': video.id },
    ExpressionAttributeValues: { ':attempt': attemptOf(video) },
  });

/**
 * Turns what was set aside for a video into what it cost, or gives it back: `archiving` and `succeeded` cost what Wan bills, a failure
 * that Wan may have charged for costs the estimate, every other ending and a return to the queue nothing. Settling twice is settling
 * once; a video that is being made keeps its reservation.
 *
 * Whoever takes a video out of its ending, or buries it, settles it first.
 */
export async function settleSpending(table: Table, video: VideoRecord): Promise<void> {
  if (video.status === 'submitting' || video.status === 'running') return;
  const month = await readMonth(table, video.owner, video.spending_month);
  const reservation = month?.reserved?.[video.id];
  if (!reservation || reservation.attempt > attemptOf(video)) return;
  // Every attempt reserves before it is sent, so one that has not taken the reservation over was not paid for.
  await settle(table, video, reservation, reservation.attempt === attemptOf(video) ? paidFor(video) : undefined);
}

/** Gives back what was set aside for an attempt that was not made; what belongs to a later one stays. */
export async function releaseSpending(table: Table, video: VideoRecord): Promise<void> {
  const month = await readMonth(table, video.owner, video.spending_month);
  const reservation = month?.reserved?.[video.id];
  if (reservation?.attempt === attemptOf(video)) await settle(table, video, reservation, undefined);
}

/** @param paid what was paid for the video, or undefined for nothing */
async function settle(
  table: Table,
  video: VideoRecord,
  { amount, attempt }: Reservation,
  paid: number | undefined,
): Promise<void> {
  const counters = paid === undefined ? '' : ' ADD spent :paid, videos :one, #spent :paid, #videos :one';
  await change(table, video, {
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

/** What an owner has spent and reserved in a month, `YYYY-MM` (strongly consistent). */
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

/** Whether a video of this price would still be within the limit, as far as is known now; only a reservation is binding. */
export const isWithinLimit = (spending: Spending, price: Price | undefined, limit: number | undefined): boolean =>
  limit === undefined ||
  toMillionths(spending.spent) + toMillionths(spending.reserved) + amountOf(price) <= toMillionths(limit);

/** What Wan was paid for a video that has left its hands, or may have been; undefined when it was paid nothing. */
function paidFor({ status, cost, usage, estimated_cost, error }: VideoRecord): number | undefined {
  switch (status) {
    case 'archiving':
    case 'succeeded': {
      if (cost) return amountOf(cost);
      const seconds = billedSeconds(usage);
      // At the price of the estimate: the seconds alone may be other than were asked for.
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

const change = async (
  table: Table,
  { owner, spending_month }: Pick<VideoRecord, 'owner' | 'spending_month'>,
  update: Parameters<typeof updateItem>[2],
): Promise<boolean> => (await updateItem(table, keys.spending(owner, spending_month), update)) !== undefined;
