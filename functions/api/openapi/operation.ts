import * as z from 'zod';

/** A JSON Schema (2020-12), as OpenAPI 3.1 uses it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Schemas that the document lists as named components. */
export interface Schemas {
  /** Of requests: the schemas that the handlers validate with. */
  requests?: Readonly<Record<string, z.ZodType>>;
  /** Of responses: strict, so a response has only fields that its schema names. */
  responses?: Readonly<Record<string, z.ZodType>>;
}

/** A reference to a named schema. */
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

/** A link to another operation. Its parameters are runtime expressions, such as `$response.body#/id`. */
export interface Link {
  operationId: string;
  description: string;
  parameters: Readonly<Record<string, string>>;
}

/** What an operation may return with one status. */
export interface ResponseSpec {
  description: string;
  /** Headers that every such response has. */
  headers?: readonly ResponseHeader[];
  /** Headers that only some of these responses have. */
  optionalHeaders?: readonly ResponseHeader[];
  /** What can be called next with values of the response, by the name of the link. */
  links?: Readonly<Record<string, Link>>;
  /** By content type; absent for a response without a body. */
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

/** One route and method. */
export interface Operation {
  method: 'get' | 'post' | 'put' | 'delete';
  path: string;
  /** Names the operation in generated clients. */
  id: string;
  tag: Tag;
  summary: string;
  /** Markdown. */
  description: string;
  access: 'caller' | 'upload token' | 'public';
  parameters?: readonly Parameter[];
  body?: { contentType?: string; content: Content };
  responses: ResponseSpecs;
}

/** One route and method in a section, which adds its tag. */
export interface Route extends Omit<Operation, 'tag' | 'access'> {
  /** @default caller */
  access?: Operation['access'];
}

/** The sections of the document. */
export const tags = {
  Videos: 'A video is one request, from its submission to the archived file.',
  Actions: 'Cancel, retry and delete. Each response states what Wan has billed by then.',
  Webhooks: 'Your own server is called when a video has ended. Verify each call as Standard Webhooks describes.',
  Uploads: 'For images of more than 4 MiB, and for audio files.',
  'Catalogue and spending': 'Models, prices, estimates and what you have spent.',
  DashScope:
    "Wan's own protocol over the same videos: a DashScope client works unchanged with this base URL and a key of this service. Errors are `{code, message, request_id}`. Tasks can be queried for as long as their video exists, and each query returns a new `video_url` of the archived file.",
  Service: 'Open without a key.',
} as const;
export type Tag = keyof typeof tags;

/** Response headers by name. */
export const responseHeaders = {
  ETag: {
    description:
      'Identifies this state: send it in `If-None-Match` to get a 304 if nothing has changed, or in `If-Match` to change a video only if its state is still the same.',
    pattern: '^"[^"]+"$',
  },
  Location: {
    description: 'The URL of a video, relative to that of the request, or the link to a file.',
    pattern: '^\\S+$',
  },
  'Retry-After': { description: 'Seconds after which to send the request again.', pattern: '^\\d+$' },
  'Preference-Applied': { description: '`wait`, when `Prefer: wait=N` was applied.', pattern: '^wait$' },
  'WWW-Authenticate': { description: 'The accepted authentication scheme.', pattern: '^\\S' },
  'Accept-Encoding': { description: 'The content codings that are unpacked.', pattern: '^[a-z]+(, [a-z]+)*$' },
  Sunset: {
    description: 'When the model of the video is retired (RFC 8594), within 30 days before.',
    pattern: '^[A-Z][a-z]{2}, \\d{2} [A-Z][a-z]{2} \\d{4} \\d{2}:\\d{2}:\\d{2} GMT$',
  },
} as const;
export type ResponseHeader = keyof typeof responseHeaders;

/** A JSON response. */
export const jsonResponse = (
  description: string,
  schema: JsonSchema,
  examples: Examples,
  more: Pick<ResponseSpec, 'headers' | 'optionalHeaders' | 'links'> = {},
): ResponseSpec => ({ description, ...more, content: { 'application/json': { schema, examples } } });

/** Merges the responses of a route with shared ones. Where both define a status, the result allows either. */
export function mergeResponses(...all: readonly ResponseSpecs[]): ResponseSpecs {
  const merged: Record<number, ResponseSpec> = {};
  for (const specs of all) {
    for (const [status, spec] of Object.entries(specs)) {
      const known = merged[Number(status)];
      merged[Number(status)] = known ? mergeSpecs(known, spec) : spec;
    }
  }
  return merged;
}

function mergeSpecs(one: ResponseSpec, other: ResponseSpec): ResponseSpec {
  const content = { ...one.content };
  for (const [type, { schema, examples }] of Object.entries(other.content ?? {})) {
    const known = content[type];
    content[type] = known
      ? { schema: { anyOf: [known.schema, schema] }, examples: { ...known.examples, ...examples } }
      : { schema, ...(examples ? { examples } : {}) };
  }
  const always = (one.headers ?? []).filter((name) => other.headers?.includes(name));
  const any = [one, other].flatMap(({ headers = [], optionalHeaders = [] }) => [...headers, ...optionalHeaders]);
  return {
    description: `${one.description}\n\n${other.description}`,
    headers: always,
    optionalHeaders: [...new Set(any)].filter((name) => !always.includes(name)),
    links: { ...one.links, ...other.links },
    content,
  };
}

type Io = 'input' | 'output';

/** One schema as self-contained JSON Schema. @param io `input` for requests, `output` for responses */
export function toJsonSchema(schema: z.ZodType, io: Io): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: simplify });
  return rest;
}

/** Named schemas as JSON Schema; a schema inside another becomes a reference. */
export function toComponents(schemas: Readonly<Record<string, z.ZodType>>, io: Io): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const uri = (id: string) => `#/components/schemas/${id}`;
  const made = z.toJSONSchema(registry, { io, uri, unrepresentable: 'any', override: simplify });
  return Object.fromEntries(
    Object.entries(made.schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
  );
}

/** Removes redundant keywords: the pattern next to a standard format, and the bounds of safe integers. */
function simplify({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format === 'date-time' || jsonSchema.format === 'uuid') delete jsonSchema.pattern;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
}
