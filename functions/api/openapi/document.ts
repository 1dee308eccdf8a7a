import * as actions from './actions.ts';
import * as catalogue from './catalogue.ts';
import * as dashscope from './dashscope.ts';
import * as gateway from './gateway.ts';
import {
  mergeResponses,
  type Operation,
  type ResponseHeader,
  type ResponseSpec,
  responseHeaders,
  tags,
  toComponents,
} from './operation.ts';
import * as problems from './problems.ts';
import * as service from './service.ts';
import * as uploads from './uploads.ts';
import * as videos from './videos.ts';

/*
 * The contract of the API (OpenAPI 3.1), made from the schemas that its handlers check with. It is made when the functions are
 * bundled: `import text from './openapi/document.ts?json'`.
 */

export const operations: readonly Operation[] = [videos, actions, uploads, catalogue, dashscope, service].flatMap(
  (group) => group.operations,
);

const schemas = [videos, uploads, catalogue, dashscope, service, problems, gateway].map((group) => group.schemas);
const named = (kind: 'taken' | 'given') => Object.assign({}, ...schemas.map((group) => group[kind] ?? {}));

const about = `firstframe turns a picture and a prompt into a video that is yours, with Alibaba Cloud Model Studio's Wan. \`POST /videos\` takes the request, \`GET /videos/{id}?wait=25\` tells when the video is there, \`GET /videos/{id}/content\` fetches it.

**Keys.** Send \`Authorization: Bearer KEY\`. A deployment may take tokens (JWT) of its operator's identity provider instead, or requests that are signed with AWS credentials.

**Problems** are \`application/problem+json\` (RFC 9457): \`code\` is stable and for programs, \`detail\` says how to mend it, \`errors\` names everything that is wrong at once. What the gateway finds by itself (a wrong key, too many requests) is \`application/json\` with the same members. Unknown routes are such a 404.

**Repeating.** With an \`Idempotency-Key\` a request may be sent as often as need be: one video is made, and paid for.

**Caching.** Reads have an \`ETag\`; \`If-None-Match\` answers 304. \`If-Match\` guards a change: it means the video's state, wherever in its queue it stands by then.

**Limits.** An inline picture may have 4 MiB, a body 10 MB, a page 100 videos.`;

const securities = {
  caller: [{ bearer: [] }],
  'upload token': [{ upload_token: [] }],
  everybody: [],
} as const satisfies Record<Operation['admits'], readonly object[]>;

const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'KEY',
    description: 'An API key of this service, or a token (JWT), whichever the deployment takes.',
  },
  upload_token: {
    type: 'apiKey',
    in: 'query',
    name: 'upload_token',
    description: 'A part of `upload_host`, good for 10 files in its `upload_dir` within 15 minutes.',
  },
};

const describeAnswer = ({ description, headers = [], sometimes = [], content }: ResponseSpec) => {
  const named = [
    ...headers.map((name) => [name, { $ref: `#/components/headers/${name}` }]),
    ...sometimes.map((name) => [name, { $ref: `#/components/headers/${optional(name)}` }]),
  ];
  return {
    description,
    ...(named.length > 0 ? { headers: Object.fromEntries(named) } : {}),
    ...(content ? { content } : {}),
  };
};

/** The component of a header that an answer has sometimes: whether it is required is said there, not where it is referred to. */
const optional = (name: ResponseHeader): string => `Optional-${name}`;

const headerComponents = Object.entries(responseHeaders).flatMap(([name, { description, pattern }]) => {
  const header = { description, schema: { type: 'string', pattern } };
  return [
    [name, { ...header, required: true }],
    [optional(name as ResponseHeader), header],
  ];
});

function describe(operation: Operation) {
  const { id, tag, summary, description, admits, parameters = [], body, answers } = operation;
  const all = mergeResponses(answers, gateway.gatewayResponses(operation));
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    security: securities[admits],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body
      ? { requestBody: { required: true, content: { [body.contentType ?? 'application/json']: body.content } } }
      : {}),
    responses: Object.fromEntries(Object.entries(all).map(([status, answer]) => [status, describeAnswer(answer)])),
  };
}

function paths() {
  const described: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    described[operation.path] = { ...described[operation.path], [operation.method]: describe(operation) };
  }
  return described;
}

export default {
  openapi: '3.1.0',
  info: {
    title: 'firstframe',
    version: '1.0.0',
    summary: 'A picture and a prompt become a video that is yours.',
    description: about,
    license: { name: 'MIT', identifier: 'MIT' },
  },
  // Relative to this document, which lies at the root of the stage.
  servers: [{ url: '.', description: 'Where this document is.' }],
  tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
  paths: paths(),
  components: {
    securitySchemes,
    headers: Object.fromEntries(headerComponents),
    schemas: { ...toComponents(named('taken'), 'input'), ...toComponents(named('given'), 'output') },
  },
};
