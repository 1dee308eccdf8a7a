import * as z from 'zod';
import { request_id } from './examples.ts';
import {
  jsonResponse,
  type Operation,
  type ResponseHeader,
  type ResponseSpec,
  type ResponseSpecs,
  ref,
  type Schemas,
} from './operation.ts';

/*
 * The responses of API Gateway itself, before or instead of a handler. One shape for both protocols, as application/json: the members of
 * RFC 9457 and those of Wan's errors.
 */

interface GatewayProblem {
  /** The code in Wan's protocol. */
  code: string;
  description: string;
  headers?: readonly ResponseHeader[];
}

/** By status. @see infra/api/gateway-responses.ts, which a test compares with this */
const gatewayProblems: Readonly<Record<number, GatewayProblem>> = {
  400: { code: 'InvalidParameter', description: 'The gateway could not read the request.' },
  401: {
    code: 'InvalidApiKey',
    description: 'The key, token or signature is missing or invalid.',
    headers: ['WWW-Authenticate'],
  },
  403: { code: 'AccessDenied', description: 'The credentials do not permit this request.' },
  404: { code: 'NotFound', description: 'There is no such route. Path and method are case-sensitive.' },
  413: {
    code: 'BadRequest.TooLarge',
    description: 'The request body is too large: at most 10 MB, and 4 MiB for a file within a request or a form.',
  },
  429: {
    code: 'Throttling.RateQuota',
    description: 'Too many requests. Nothing was done.',
    headers: ['Retry-After'],
  },
  500: { code: 'InternalError', description: 'An unexpected error occurred.' },
  502: {
    code: 'InternalError',
    description:
      'An unexpected error occurred, possibly after the request was processed, or too many requests are in progress.',
    headers: ['Retry-After'],
  },
  504: {
    code: 'RequestTimeOut',
    description:
      'The response took too long. The request may have been processed: send it again with the same `Idempotency-Key`, or check first.',
  },
};

/** Every response of the gateway itself, in the order of statuses. */
export const gatewayCodes = Object.entries(gatewayProblems).map(([status, { code, description }]) => ({
  status: Number(status),
  code,
  description,
}));

export const gatewayProblemSchema = z
  .strictObject({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: 'What is wrong and how to fix it.' }),
    code: z
      .enum(Object.values(gatewayProblems).map(({ code }) => code))
      .meta({ description: "The code in Wan's protocol." }),
    message: z.string().meta({ description: '`title` and `detail`: what is wrong, then what to do.' }),
    request_id: z.string(),
  })
  .meta({ description: 'A problem reported by the gateway. It has the members of both protocols.' });

export const schemas: Schemas = { responses: { GatewayProblem: gatewayProblemSchema } };

/** The gateway's possible responses to an operation. */
export function gatewayResponses({
  method,
  path,
  access,
}: Pick<Operation, 'method' | 'path' | 'access'>): ResponseSpecs {
  const isLimited = access !== 'public';
  const statuses = [400, ...(isLimited ? [401, 403] : []), ...(path.includes('{') ? [404] : [])];
  if (method === 'post') statuses.push(413);
  return Object.fromEntries([...statuses, 429, 500, 502, 504].map((status) => [status, responseOf(status)]));
}

/** @throws Error for a status that the gateway does not return */
function responseOf(status: number): ResponseSpec {
  const kind = gatewayProblems[status];
  if (!kind) throw new Error(`The gateway has no response with status ${status}.`);
  const { code, description, headers = [] } = kind;
  const detail = description.replaceAll('`', '');
  const value: z.input<typeof gatewayProblemSchema> = {
    type: 'about:blank',
    title: detail,
    status,
    detail,
    code,
    message: detail,
    request_id,
  };
  const examples = { gateway: { summary: 'From the gateway', value } };
  return jsonResponse(description, ref('GatewayProblem'), examples, { headers });
}
