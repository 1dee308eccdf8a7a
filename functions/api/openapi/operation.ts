import * as z from 'zod';

/** A JSON Schema (2020-12), as OpenAPI 3.1 has it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Schemas that the document shows under a name of their own. */
export interface Schemas {
  /** What the API takes: the very schemas that the handlers check with. */
  taken?: Readonly<Record<string, z.ZodType>>;
  /** What the API gives: nothing may be in an answer that its schema does not name. */
  given?: Readonly<Record<string, z.ZodType>>;
}

/** The schema of this name. */
export const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

interface Example {
  summary: string;
  value: unknown;
}
type Examples = Readonly<Record<string, Example>>;

export interface Content {
  schema: JsonSchema;
  examples?: Examples;
}

/** What a route may answer with one status. */
export interface ResponseSpec {
  description: string;
  /** Those that it always has. */
  headers?: readonly ResponseHeader[];
  /** Those that it has when there is something to say. */
  sometimes?: readonly ResponseHeader[];
  /** By content type; none for an answer without a body. */
  content?: Readonly<Record<string, Content>>;
}
/** By status. */
export type ResponseSpecs = Readonly<Record<number, ResponseSpec>>;

export interface Parameter {
  name: string;
  in: 'query' | 'path' | 'header';
  description: string;
  required?: boolean;
  schema: JsonSchema;
  example?: unknown;
}

/** One route and method, as people and programs need to know it. */
export interface Operation {
  method: 'get' | 'post' | 'delete';
  path: string;
  /** Names the operation in generated clients. */
  id: string;
  tag: Tag;
  summary: string;
  /** Markdown. */
  description: string;
  admits: 'caller' | 'upload token' | 'everybody';
  parameters?: readonly Parameter[];
  body?: { contentType?: string; content: Content };
  answers: ResponseSpecs;
}

/** One route and method as a section lists it. */
export interface Route extends Omit<Operation, 'tag' | 'admits'> {
  /** @default caller */
  admits?: Operation['admits'];
}

/** The sections of the document. */
export const tags = {
  Videos: 'A video is one request, from its submission to the archived file.',
  Actions: 'What can be done to a video afterwards. All of it is honest about what Wan has billed by then.',
  Uploads: 'For pictures of more than 4 MiB, and for sounds.',
  'Catalogue and spending': 'What there is, what it costs, and what you have spent.',
  DashScope:
    "Wan's own protocol over the same videos: a DashScope client that is given this base URL and a key of this service works unchanged. Its errors are `{code, message, request_id}`. Tasks stay queryable for as long as their video is kept, and `video_url` is a link to our archive, fresh at every query.",
  Service: 'Open to everybody, without a key.',
} as const;
export type Tag = keyof typeof tags;

/** Headers of answers, by their names. */
export const responseHeaders = {
  ETag: {
    description:
      'Identifies this state of the answer: send it in `If-None-Match` to learn whether anything changed, or in `If-Match` to change a video only if it is still so.',
    pattern: '^"[^"]+"$',
  },
  Location: {
    description: 'Where it is: the address of a video, relative to that of the request, or a link to a file.',
    pattern: '^\\S+$',
  },
  'Retry-After': { description: 'Seconds after which it is worth asking again.', pattern: '^\\d+$' },
  'Preference-Applied': { description: '`wait`, when `Prefer: wait=N` was heeded.', pattern: '^wait$' },
  'WWW-Authenticate': { description: 'How to identify oneself.', pattern: '^\\S' },
  Allow: { description: 'The methods that the route takes.', pattern: '^[A-Z]+(, [A-Z]+)*$' },
} as const;
export type ResponseHeader = keyof typeof responseHeaders;

/** An answer in JSON. */
export const jsonResponse = (
  description: string,
  schema: JsonSchema,
  examples: Examples,
  headers: Pick<ResponseSpec, 'headers' | 'sometimes'> = {},
): ResponseSpec => ({ description, ...headers, content: { 'application/json': { schema, examples } } });

/** A route's answers, its own and those that several have: what one status says in several ways stands side by side. */
export function mergeResponses(...all: readonly ResponseSpecs[]): ResponseSpecs {
  const merged: Record<number, ResponseSpec> = {};
  for (const answers of all) {
    for (const [status, answer] of Object.entries(answers)) {
      const known = merged[Number(status)];
      merged[Number(status)] = known ? together(known, answer) : answer;
    }
  }
  return merged;
}

function together(one: ResponseSpec, other: ResponseSpec): ResponseSpec {
  const content = { ...one.content };
  for (const [type, { schema, examples }] of Object.entries(other.content ?? {})) {
    const known = content[type];
    content[type] = known
      ? { schema: { anyOf: [known.schema, schema] }, examples: { ...known.examples, ...examples } }
      : { schema, ...(examples ? { examples } : {}) };
  }
  const always = (one.headers ?? []).filter((name) => other.headers?.includes(name));
  const any = [one, other].flatMap(({ headers = [], sometimes = [] }) => [...headers, ...sometimes]);
  return {
    description: `${one.description}\n\n${other.description}`,
    headers: always,
    sometimes: [...new Set(any)].filter((name) => !always.includes(name)),
    content,
  };
}

type Io = 'input' | 'output';

/** One schema as JSON Schema, whole in itself. @param io what is taken, or what is given */
export function toJsonSchema(schema: z.ZodType, io: Io): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: simplify });
  return rest;
}

/** Schemas by their names; one that is part of another is referred to by its name. */
export function toComponents(schemas: Readonly<Record<string, z.ZodType>>, io: Io): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const uri = (id: string) => `#/components/schemas/${id}`;
  const made = z.toJSONSchema(registry, { io, uri, unrepresentable: 'any', override: simplify });
  return Object.fromEntries(
    Object.entries(made.schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
  );
}

/** Leaves out what says the same twice: the pattern beside a format that everybody knows, the bounds of every integer. */
function simplify({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format === 'date-time' || jsonSchema.format === 'uuid') delete jsonSchema.pattern;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}
