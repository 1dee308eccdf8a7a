/** dynalite ships no types; this is what is used of it. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** A DynamoDB server: data under `path`, or in memory without one. Times are milliseconds that a table takes to change. */
  export default function dynalite(options?: {
    path?: string;
    createTableMs?: number;
    deleteTableMs?: number;
    updateTableMs?: number;
  }): Server;
}

/** What is behind dynalite's server. */
declare module 'dynalite/db/index.js' {
  /** The database that its actions work on: in memory, since no path is given. */
  export type Store = { readonly db: unique symbol };

  export const create: (options: { createTableMs: number }) => Store;
}

declare module 'dynalite/validations/index.js' {
  import type { Store } from 'dynalite/db/index.js';

  /** A copy of an input that holds what the types name. It takes the rest out of the input itself. @throws an error with `body` */
  export const checkTypes: (input: object, types: object) => object;
  /** @throws an error with `body` */
  export const checkValidations: (input: object, types: object, custom: unknown, store: Store) => void;
}
