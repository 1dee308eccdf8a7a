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
 * What the gateway answers by itself, before or instead of a handler. One shape for both dialects: the members of RFC 9457 beside
 * those of Wan's protocol, as application/json.
 */

interface Kind {
  /** In the words of Wan's protocol. */
  code: string;
  description: string;
  headers?: readonly ResponseHeader[];
}

/** By status. @see infra/api/gateway-responses.ts, which a test compares with this */
const kinds: Readonly<Record<number, Kind>> = {
  400: { code: 'InvalidParameter', description: 'The gateway could not read the request.' },
  401: {
    code: 'InvalidApiKey',
    description: 'The key, the token or the signature is missing or not valid.',
    headers: ['WWW-Authenticate'],
  },
  403: { code: 'AccessDenied', description: 'These credentials do not allow it.' },
  404: { code: 'NotFound', description: 'There is no such route; path and method are case-sensitive.' },
  413: {
    code: 'BadRequest.TooLarge',
    description: 'The request has more than the gateway carries (10 MB; an inline picture may have 4 MiB).',
  },
  429: {
    code: 'Throttling.RateQuota',
    description: 'Too many requests. Nothing was done.',
    headers: ['Retry-After'],
  },
  500: { code: 'InternalError', description: 'Something went wrong on our side.' },
  502: {
    code: 'InternalError',
    description:
      'Something went wrong on our side, perhaps after the request was done; or more requests are handled at once than may be.',
    headers: ['Retry-After'],
  },
  504: {
    code: 'RequestTimeOut',
    description:
      'The answer took too long. The request may have been done: send it again with the same `Idempotency-Key`, or look first.',
  },
};

export const gatewayProblemSchema = z
  .strictObject({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: 'What is wrong and how to mend it.' }),
    code: z.enum(Object.values(kinds).map(({ code }) => code)).meta({ description: "In the words of Wan's protocol." }),
    message: z.string().meta({ description: 'The same as `detail`.' }),
    request_id: z.string(),
  })
  .meta({ description: 'A problem that the gateway found. It has the members of both dialects.' });

export const schemas: Schemas = { given: { GatewayProblem: gatewayProblemSchema } };

/** What the gateway may answer in the place of an operation. */
export function gatewayResponses({
  method,
  path,
  admits,
}: Pick<Operation, 'method' | 'path' | 'admits'>): ResponseSpecs {
  const isLimited = admits !== 'everybody';
  const statuses = [400, ...(isLimited ? [401, 403] : []), ...(path.includes('{') ? [404] : [])];
  if (method === 'post') statuses.push(413);
  return Object.fromEntries([...statuses, 429, 500, 502, 504].map((status) => [status, answerOf(status)]));
}

/** @throws Error for a status that the gateway does not give */
function answerOf(status: number): ResponseSpec {
  const kind = kinds[status];
  if (!kind) throw new Error(`The gateway answers nothing with ${status}.`);
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
