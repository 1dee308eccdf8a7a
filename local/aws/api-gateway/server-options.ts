import type { ServerOptions } from 'node:http';

/** How the API's server reads requests: what the API answers in its own words is let through to it, and nobody holds a connection for long. */
export const serverOptions = {
  // A request without a Host header would otherwise be answered by Node.
  requireHostHeader: false,
  headersTimeout: 10_000,
  // 10 MB at 2.7 Mbit/s.
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1000,
} as const satisfies ServerOptions;
