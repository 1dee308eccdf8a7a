import * as actions from './actions.ts';
import * as catalogue from './catalogue.ts';
import * as dashscope from './dashscope.ts';
import * as derive from './derive.ts';
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
import * as webhooks from './webhooks.ts';

/*
 * The contract of the API (OpenAPI 3.1), generated from the schemas that its handlers validate with. It is generated when the functions
 * are bundled: `import text from './openapi/document.ts?json'`.
 */

export const operations: readonly Operation[] = [
  videos,
  derive,
  actions,
  webhooks,
  uploads,
  catalogue,
  dashscope,
  service,
].flatMap((group) => group.operations);

const schemas = [videos, derive, webhooks, uploads, catalogue, dashscope, service, problems, gateway].map(
  (group) => group.schemas,
);
const named = (kind: 'requests' | 'responses') => Object.assign({}, ...schemas.map((group) => group[kind] ?? {}));

const about = `firstframe turns an image and a prompt into a video that you own, with Wan of Alibaba Cloud Model Studio. Create a video with \`POST /videos\`, wait for it with \`GET /videos/{id}?wait=25\`, and fetch the file with \`GET /videos/{id}/content\`.

**Authentication.** Send \`Authorization: Bearer KEY\`. A deployment may instead accept tokens (JWT) of its operator's identity provider, or requests signed with AWS credentials.

**Problems** are \`application/problem+json\` (RFC 9457): \`code\` is stable and meant for programs, \`detail\` explains what is wrong and how to fix it, \`errors\` lists every issue of the request. Errors of the gateway (invalid key, too many requests, unknown route) are \`application/json\` with the same members and codes.

**Idempotency.** With an \`Idempotency-Key\` a request can be repeated safely: only one video is created and paid for.

**Caching.** Reads have an \`ETag\`, and \`If-None-Match\` is answered with 304. \`If-Match\` guards a change; it compares the state of the video and ignores its queue position.

**Methods.** Every GET route takes HEAD, every route OPTIONS. Any other method is a 405 with \`Allow\` and the code \`method_not_allowed\`.

**Compression.** Responses of 1 KB or more are compressed for clients that send \`Accept-Encoding: gzip\` or \`deflate\`. A body may have the same codings.

**Limits.** An inline image has at most 4 MiB, a request body 10 MB, a page 100 videos.`;

const securities = {
  caller: [{ bearer: [] }],
  'upload token': [{ upload_token: [] }],
  public: [],
} as const satisfies Record<Operation['access'], readonly object[]>;

const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'KEY',
    description: 'An API key of this service, or a token (JWT), depending on the deployment.',
  },
  upload_token: {
    type: 'apiKey',
    in: 'query',
    name: 'upload_token',
    description: 'Part of `upload_host`. It permits 10 files in its `upload_dir` within 15 minutes.',
  },
};

const describeResponse = ({ description, headers = [], optionalHeaders = [], links = {}, content }: ResponseSpec) => {
  const named = [
    ...headers.map((name) => [name, { $ref: `#/components/headers/${name}` }]),
    ...optionalHeaders.map((name) => [name, { $ref: `#/components/headers/${optional(name)}` }]),
  ];
  return {
    description,
    ...(named.length > 0 ? { headers: Object.fromEntries(named) } : {}),
    ...(content ? { content } : {}),
    ...(Object.keys(links).length > 0 ? { links } : {}),
  };
};

/** The component of an optional header. OpenAPI states in the component, not in the reference, whether a header is required. */
const optional = (name: ResponseHeader): string => `Optional-${name}`;

const headerComponents = Object.entries(responseHeaders).flatMap(
  ([name, { description, pattern }]): [string, object][] => {
    const header = { description, schema: { type: 'string', pattern } };
    return [
      [name, { ...header, required: true }],
      [optional(name as ResponseHeader), header],
    ];
  },
);

function describe(operation: Operation) {
  const { id, tag, summary, description, access, parameters = [], body, responses } = operation;
  const all = mergeResponses(responses, gateway.gatewayResponses(operation));
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    security: securities[access],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body
      ? { requestBody: { required: true, content: { [body.contentType ?? 'application/json']: body.content } } }
      : {}),
    responses: Object.fromEntries(
      Object.entries(all).map(([status, response]) => [status, describeResponse(response)]),
    ),
  };
}

function paths() {
  const described: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    described[operation.path] = { ...described[operation.path], [operation.method]: describe(operation) };
  }
  return described;
}

const described = paths();
const isReferenced = ([name]: readonly [string, ...unknown[]]): boolean =>
  JSON.stringify(described).includes(`"#/components/headers/${name}"`);

export default {
  openapi: '3.1.0',
  info: {
    title: 'firstframe',
    version: '1.0.0',
    summary: 'Turns an image and a prompt into a video that you own.',
    description: about,
    contact: { name: 'The operator of this deployment' },
    license: { name: 'MIT', identifier: 'MIT' },
  },
  // Relative to this document, which is served at the root of the stage.
  servers: [{ url: '.', description: 'The service that serves this document.' }],
  tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
  paths: described,
  components: {
    securitySchemes,
    headers: Object.fromEntries(headerComponents.filter(isReferenced)),
    schemas: { ...toComponents(named('requests'), 'input'), ...toComponents(named('responses'), 'output') },
  },
};
