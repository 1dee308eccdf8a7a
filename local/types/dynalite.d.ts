/** dynalite ships no types; this is what is used of what is behind its server. */
declare module 'dynalite/db/index.js' {
  /** The database that its actions work on. */
  export interface Store {
    readonly lifecycleManager: { gracefulClose(): Promise<void> };
    readonly db: { close(): Promise<void> };
    readonly tableDb: Values;
    getItemDb(tableName: string): Values;
    deleteIndexDb(type: 'Global', tableName: string, indexName: string, done: (error: Error | null) => void): void;
  }
  interface Values {
    createValueStream(options: object): AsyncIterable<unknown>;
  }
  export interface StoredTable {
    TableName: string;
    GlobalSecondaryIndexes?: { IndexName: string }[];
  }

  /** @param options `path` of the files, in memory without one; milliseconds that a table takes to be made */
  export const create: (options: { path?: string; createTableMs?: number }) => Store;

  export const updateIndexes: (
    store: Store,
    table: StoredTable,
    before: object | undefined,
    item: object,
    done: (error: Error | null) => void,
  ) => void;

  /** The bytes of an item by DynamoDB's rules, given in DynamoDB's JSON. */
  export const itemSize: (item: object) => number;
}

declare module 'dynalite/validations/index.js' {
  import type { Store } from 'dynalite/db/index.js';

  /** A copy of an input that holds what the types name. It takes the rest out of the input itself. @throws an error with `body` */
  export const checkTypes: (input: object, types: object) => object;
  /** @throws an error with `body` */
  export const checkValidations: (input: object, types: object, custom: unknown, store: Store) => void;
}
