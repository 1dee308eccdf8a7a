import type * as z from 'zod';
import { type JsonSchema, type Parameter, toJsonSchema } from './operation.ts';

/** How the contract shows a query parameter. `schema` replaces the handler's own, which reads a number as a string of digits. */
interface Shown {
  description: string;
  schema?: JsonSchema;
  example?: unknown;
}

/**
 * The query parameters of an operation, from the schema that its handler validates with.
 */
export function queryParameters<Query extends z.ZodObject>(
  query: Query,
  shown: Readonly<Record<keyof Query['shape'] & string, Shown>>,
): Parameter[] {
  const { properties, required = [] } = toJsonSchema(query, 'input') as {
    properties: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description: _, examples: __, ...schema }]) => {
    const { description, schema: instead, example } = shown[name as keyof typeof shown];
    return {
      name,
      in: 'query',
      description,
      ...(required.includes(name) ? { required: true } : {}),
      schema: instead ?? schema,
      ...(example === undefined ? {} : { example }),
    };
  });
}

export const idempotencyKey: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'Makes the request repeatable: the same key with the same body always returns the same video, also when requests are concurrent. Without a key, a client that resends after a lost response may pay for a second video.',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
  example: '0d9b6c1e-58b7-4b1f-9a35-1c2f7e6d8a40',
};

const header = (name: string, description: string, example: string): Parameter => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string' },
  example,
});

export const prefer = header(
  'Prefer',
  '`wait=N` waits up to N seconds (at most 25) for the video to end: 200 if it has ended, otherwise 202. Without `Preference-Applied: wait` the response did not wait, because too many requests of yours wait already. Unknown preferences are ignored.',
  'wait=20',
);

const etag = '"Jb0cJvJAd6T8rJg0C9dM2O3p1eZ7U5yLzTqkHtNqWgM"';
export const ifMatch = header(
  'If-Match',
  'Changes the video only if its state still has this ETag; otherwise 412.',
  etag,
);
export const ifNoneMatch = header('If-None-Match', 'An ETag of an earlier response: 304 if nothing has changed.', etag);

export const videoIdInPath: Parameter = {
  name: 'id',
  in: 'path',
  required: true,
  description: "The video's id.",
  schema: { type: 'string', format: 'uuid' },
  example: '5f0c6b9e-3a52-8d0e-9c1b-7e4f2a9d6c38',
};
