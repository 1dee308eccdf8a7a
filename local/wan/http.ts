import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Refusal } from './errors.ts';

/** A request as the operations see it: read whole, its path without a trailing slash. */
export interface WanRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What goes back: an answer, an answer whose connection is cut halfway through `body`, or nothing but a cut connection. */
export type Answer =
  | {
      readonly kind: 'whole' | 'cut';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string | Buffer;
    }
  | { readonly kind: 'reset' };

/** A JSON answer with a request id of its own, unless `content` brings one. */
export function json(status: number, content: Readonly<Record<string, unknown>>): Answer {
  return {
    kind: 'whole',
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request_id: randomUUID(), ...content }),
  };
}

/** A refusal in the reference's shape: top-level `code`, `message`, `request_id`. */
export function refused({ status, code, message }: Refusal): Answer {
  return json(status, { code, message });
}

/** An error as the object storage gives it: XML with a code, a message and a request id. */
export function storageError(
  status: number,
  code: string,
  message: string,
  details: Readonly<Record<string, string>> = {},
): Answer {
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
