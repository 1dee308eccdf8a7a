import type { ServerOptions } from 'node:http';

/**
 * Options of the API's HTTP server. Requests that API Gateway rejects itself must reach the handler, and slow clients
 * must not hold a connection.
 */
export const serverOptions = {
  // Otherwise Node responds to a request without a Host header.
  requireHostHeader: false,
  headersTimeout: 10_000,
  // 10 MB at 2.7 Mbit/s.
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1000,
} as const satisfies ServerOptions;
