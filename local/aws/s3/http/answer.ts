import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface Answer {
  status: number;
  headers?: Record<string, string | undefined>;
  /** A document, or a stream whose length is said in `Content-Length`. @default empty */
  body?: string | Readable;
}

/** Sends an answer. A stream that breaks midway destroys the connection: a short body must not look whole. */
export async function sendAnswer(response: ServerResponse, answer: Answer, bodyless: boolean): Promise<void> {
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    if (value !== undefined) response.setHeader(name, value);
  }
  const { body = '' } = answer;
  if (typeof body === 'string') {
    const mayHaveBody = answer.status !== 204 && answer.status !== 304;
    if (mayHaveBody && !response.hasHeader('content-length')) {
      response.setHeader('content-length', Buffer.byteLength(body));
    }
    response.end(bodyless || !mayHaveBody ? undefined : body);
    return;
  }
  if (bodyless) {
    body.destroy();
    response.end();
    return;
  }
  // The reader has gone or the file has failed: the pipeline has closed the connection, and nobody is left to tell.
  await pipeline(body, response).catch(() => {});
}
