import * as z from 'zod';
import { problemType } from '../../shared/errors.ts';
import { DashscopeError, documentedMessage, type ReferenceCode } from '../dashscope/errors.ts';
import { request_id } from './examples.ts';
import {
  jsonResponse,
  mergeResponses,
  type Operation,
  type ResponseSpec,
  type ResponseSpecs,
  type Route,
  ref,
  type Schemas,
  type Tag,
} from './operation.ts';
import { ifNoneMatch } from './parameters.ts';
import { type Code, codeNames, explainCodes, problemCodes } from './problem-codes.ts';

const pointer = z.string().meta({
  description: 'A JSON pointer (RFC 6901) to the wrong value; empty for the whole body.',
  examples: ['/input/img_url'],
});

export const issueSchema = z
  .strictObject({
    pointer,
    code: z.string().meta({ description: 'Stable, for programs.', examples: ['unsupported_resolution'] }),
    message: z.string().meta({ description: 'What is wrong and how to fix it.' }),
  })
  .meta({ description: 'One thing that must be fixed before the request can be accepted.' });

const requestId = z.string().meta({ description: 'Include it when you report a problem.' });

export const problemSchema = z
  .strictObject({
    type: z.enum(codeNames.map(problemType)).meta({ description: 'Identifies the code.' }),
    status: z.int().min(400).max(599),
    code: z.enum(codeNames).meta({ description: 'Stable, for programs.' }),
    title: z.string().meta({ description: 'A short summary.' }),
    detail: z.string().meta({ description: 'What is wrong and how to fix it.' }),
    errors: z.array(issueSchema).max(50).optional(),
    request_id: requestId.optional(),
  })
  .meta({ description: `A problem (RFC 9457).\n\n${explainCodes(codeNames)}` });

export const schemas: Schemas = { responses: { Problem: problemSchema, Issue: issueSchema } };

/** A route of this API, with its problem codes in addition to those of every route that needs a key. */
interface NativeRoute extends Route {
  /** Whether its response has an ETag, so that it can return 304. */
  etag?: true;
  problems?: readonly Code[];
}

export const nativeOperations = (tag: Tag, routes: readonly NativeRoute[]): Operation[] =>
  routes.map(({ etag, problems = [], parameters = [], responses, ...route }) => ({
    tag,
    access: 'caller',
    ...route,
    parameters: etag ? [...parameters, ifNoneMatch] : parameters,
    responses: mergeResponses(
      responses,
      etag ? { 304: notModified } : {},
      problemResponses(['unauthorized', ...problems, 'too_many_requests', 'internal_error']),
    ),
  }));

const notModified: ResponseSpec = {
  description: 'Nothing has changed since the state that `If-None-Match` names.',
  headers: ['ETag'],
};

/** Each status lists its codes, so that programs can rely on them. */
const problemResponses = (codes: readonly Code[]): ResponseSpecs =>
  byStatus(codes, (code) => problemCodes[code].status, responseOf);

function byStatus<Item>(
  items: readonly Item[],
  statusOf: (item: Item) => number,
  describe: (status: number, items: readonly Item[]) => ResponseSpec,
): ResponseSpecs {
  const statuses = [...new Set(items.map(statusOf))];
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      describe(
        status,
        items.filter((item) => statusOf(item) === status),
      ),
    ]),
  );
}

function responseOf(status: number, codes: readonly Code[]): ResponseSpec {
  const properties = { status: { const: status }, code: { enum: codes } };
  const withRetryAfter = codes.filter((code) => problemCodes[code].retry_after);
  return {
    description: explainCodes(codes),
    headers: withRetryAfter.length === codes.length ? ['Retry-After'] : [],
    optionalHeaders: withRetryAfter.length > 0 && withRetryAfter.length < codes.length ? ['Retry-After'] : [],
    content: {
      'application/problem+json': {
        schema: { allOf: [ref('Problem'), { type: 'object', properties }] },
        examples: Object.fromEntries(codes.map((code) => [code, { summary: code, value: exampleOf(status, code) }])),
      },
    },
  };
}

const withErrors: Partial<Record<Code, z.input<typeof issueSchema>>> = {
  invalid_request: {
    pointer: '/parameters/resolution',
    code: 'unsupported_resolution',
    message: 'wan2.2-i2v-flash does not offer 1080P. Use 480P or 720P.',
  },
  invalid_query: {
    pointer: '/limit',
    code: 'invalid_value',
    message: 'Give a whole number from 1 to 100.',
  },
  image_too_large: {
    pointer: '/input/img_url',
    code: 'image_too_large',
    message: 'An inline file may have 4194304 bytes; this one has 5242880.',
  },
  audio_too_large: {
    pointer: '/input/audio_url',
    code: 'audio_too_large',
    message: 'An inline file may have 4194304 bytes; this one has 5242880.',
  },
};

function exampleOf(status: number, code: Code): z.input<typeof problemSchema> {
  const error = withErrors[code];
  const plain = (text: string) => text.replaceAll('`', '');
  return {
    type: problemType(code),
    status,
    code,
    title: plain(problemCodes[code].meaning),
    detail: error ? `${error.pointer}: ${error.message}` : plain(problemCodes[code].fix),
    ...(error ? { errors: [error] } : {}),
    request_id,
  };
}

/** A route of Wan's protocol, with its error codes in addition to those of every route. */
interface DashscopeRoute extends Route {
  errors?: readonly ReferenceCode[];
}

export const dashscopeOperations = (routes: readonly DashscopeRoute[]): Operation[] =>
  routes.map(({ errors = [], responses, ...route }) => ({
    tag: 'DashScope',
    access: 'caller',
    ...route,
    responses: mergeResponses(
      responses,
      errorResponses([
        ...(route.access === 'public' ? [] : (['InvalidApiKey'] as const)),
        ...errors,
        ...(route.access === 'public' ? [] : (['Throttling.RateQuota'] as const)),
        'InternalError',
      ]),
    ),
  }));

const errorResponses = (codes: readonly ReferenceCode[]): ResponseSpecs =>
  byStatus(
    codes.map((code) => new DashscopeError(code)),
    ({ status }) => status,
    dashscopeErrorResponse,
  );

function dashscopeErrorResponse(status: number, errors: readonly DashscopeError[]): ResponseSpec {
  const codes = errors.map(({ code }) => code);
  const properties = { code: { enum: codes } };
  return jsonResponse(
    codes.map((code) => `- \`${code}\`: ${documentedMessage(code)}`).join('\n'),
    { allOf: [ref('DashscopeError'), { type: 'object', properties }] },
    Object.fromEntries(
      errors.map(({ code, message }) => [code, { summary: code, value: { code, message, request_id } }]),
    ),
    { headers: status === 429 || status === 503 ? ['Retry-After'] : [] },
  );
}
