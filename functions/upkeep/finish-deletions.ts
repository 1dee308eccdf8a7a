import { idsInStatus } from '../video/queue.ts';
import type { Table } from '../video/store.ts';
import { closeTombstone, readTombstone } from '../video/tombstone.ts';
import { deleteObjectsOf, type ObjectStores } from './delete-objects.ts';

export interface DeletionServices extends ObjectStores {
  table: Table;
}

/** While a deletion is young its objects are looked for at each call: whoever deleted may have died before them. */
const YOUNG_SECONDS = 5 * 60;

/**
 * After this time nobody brings an object any more: an archive or a submit that began before the deletion is cut off after 15
 * minutes at the latest.
 */
const OLD_SECONDS = 3600;

/**
 * Sees to it that deleted videos leave no object: what a crash between tombstone and objects left is deleted, and an hour later what
 * came after the deletion; then the tombstone is closed. Whatever goes wrong with one keeps no other from its turn.
 * @returns ids of the videos whose deletion is finished for good
 * @throws AggregateError after all had their turn; the next call tries again
 */
export async function finishDeletions(services: DeletionServices): Promise<string[]> {
  const { table } = services;
  const finished: string[] = [];
  const errors: unknown[] = [];
  for await (const id of idsInStatus(table, 'deleting')) {
    try {
      if (await finish(services, id)) finished.push(id);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} deletions could not be finished.`);
  return finished;
}

/** @returns whether nothing is left to do */
async function finish(services: DeletionServices, id: string): Promise<boolean> {
  const { table } = services;
  const tombstone = await readTombstone(table, id);
  if (!tombstone) return false;
  const age = (table.now() - Date.parse(tombstone.deleted_at)) / 1000;
  if (age > YOUNG_SECONDS && age < OLD_SECONDS) return false;
  await deleteObjectsOf(services, id);
  if (age < OLD_SECONDS) return false;
  await closeTombstone(table, id);
  return true;
}
