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
