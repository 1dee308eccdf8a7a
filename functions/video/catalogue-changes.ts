import { type CatalogueChanges, mergeChanges, type RowChange } from '../wan/changes.ts';
import { keys } from './keys.ts';
import { getItem, type Table, updateItem } from './table.ts';

/** What operators have changed in a running deployment, in addition to its settings. */
interface ChangesItem {
  /** Further hosts, or origins on a developer's machine, from which finished videos may be downloaded. */
  video_hosts?: ReadonlySet<string>;
  models?: CatalogueChanges;
}

/** Returns the hosts and origins that operators trust in addition to the settings. */
export async function readTrustedHosts(table: Table): Promise<string[]> {
  const item = await getItem<ChangesItem>(table, keys.catalogueChanges);
  return [...(item?.video_hosts ?? [])].sort();
}

/** Trusts a host. Idempotent. */
export const trustHost = (table: Table, host: string): Promise<object | undefined> => changeHosts(table, 'ADD', host);

/** Ends the trust in a host that `trustHost` added. Idempotent. */
export const distrustHost = (table: Table, host: string): Promise<object | undefined> =>
  changeHosts(table, 'DELETE', host);

const changeHosts = (table: Table, change: 'ADD' | 'DELETE', host: string) =>
  updateItem(table, keys.catalogueChanges, {
    UpdateExpression: `${change} video_hosts :host`,
    ExpressionAttributeValues: { ':host': new Set([host]) },
  });

/** Returns what operators have changed in the rows of models. */
export const readRowChanges = async (table: Table): Promise<CatalogueChanges> =>
  (await getItem<ChangesItem>(table, keys.catalogueChanges))?.models ?? {};

/** Replaces what operators have changed in the row of a model. */
export async function writeRowChange(table: Table, name: string, change: RowChange): Promise<void> {
  // DynamoDB cannot set a path in a map that does not exist.
  await updateItem(table, keys.catalogueChanges, {
    UpdateExpression: 'SET models = if_not_exists(models, :empty)',
    ExpressionAttributeValues: { ':empty': {} },
  });
  await updateItem(table, keys.catalogueChanges, {
    UpdateExpression: 'SET models.#name = :change',
    ExpressionAttributeNames: { '#name': name },
    ExpressionAttributeValues: { ':change': change },
  });
}

/** Removes what operators have changed in the row of a model. Idempotent. */
export async function removeRowChange(table: Table, name: string): Promise<void> {
  await updateItem(table, keys.catalogueChanges, {
    UpdateExpression: 'REMOVE models.#name',
    ConditionExpression: 'attribute_exists(models)',
    ExpressionAttributeNames: { '#name': name },
  });
}

const CACHED_MILLISECONDS = 60_000;

/** The last changes that this container has read, per DynamoDB client. */
const caches = new WeakMap<object, { until: number; changes: CatalogueChanges }>();

/**
 * Returns what the file and operators change in the catalogue, at most 60 s old. When the table cannot be read, returns the last known
 * changes.
 * @param file the changes of the file
 */
export async function currentChanges(table: Table, file: CatalogueChanges): Promise<CatalogueChanges> {
  const { client, now } = table;
  const cached = caches.get(client);
  if (cached && now() < cached.until) return mergeChanges(file, cached.changes);
  try {
    const changes = await readRowChanges(table);
    caches.set(client, { until: now() + CACHED_MILLISECONDS, changes });
    return mergeChanges(file, changes);
  } catch (error) {
    if (!cached) throw error;
    return mergeChanges(file, cached.changes);
  }
}
