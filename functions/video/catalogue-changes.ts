import { keys } from './keys.ts';
import { getItem, type Table, updateItem } from './table.ts';

/** What operators have changed in a running deployment, in addition to its settings. */
interface CatalogueChanges {
  /** Further hosts, or origins on a developer's machine, from which finished videos may be downloaded. */
  video_hosts?: ReadonlySet<string>;
}

/** Returns the hosts and origins that operators trust in addition to the settings. */
export async function readTrustedHosts(table: Table): Promise<string[]> {
  const item = await getItem<CatalogueChanges>(table, keys.catalogueChanges);
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
