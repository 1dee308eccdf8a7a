import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { ApiError } from './errors.ts';

/** A request with its complete body, and its path without a trailing slash. */
export interface WanRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A complete response, one without a length, one whose connection is cut halfway through `body`, or a reset connection. */
export type WanResponse =
  | {
      readonly kind: 'whole' | 'chunked' | 'cut';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string | Buffer;
    }
  | { readonly kind: 'reset' };

/** Returns a JSON response with a new request id, unless `content` has one. */
export function json(status: number, content: Readonly<Record<string, unknown>>): WanResponse {
  return {
    kind: 'whole',
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request_id: randomUUID(), ...content }),
  };
}

/** Returns an error in the shape of the reference: top-level `code`, `message`, `request_id`. */
export function errorResponse({ status, code, message }: ApiError): WanResponse {
  return json(status, { code, message });
}

/** Returns an error in the shape of OSS, the object storage: XML with code, message and request id. */
export function storageError(
  status: number,
  code: string,
  message: string,
  details: Readonly<Record<string, string>> = {},
): WanResponse {
  const requestId = randomUUID().replaceAll('-', '').slice(0, 24).toUpperCase();
  const members = Object.entries({ Code: code, Message: message, RequestId: requestId, ...details });
  const lines = members.map(([name, text]) => `  <${name}>${escapeXml(text)}</${name}>`);
  return {
    kind: 'whole',
    status,
    headers: { 'content-type': 'application/xml', 'x-oss-request-id': requestId },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n${lines.join('\n')}\n</Error>\n`,
  };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
