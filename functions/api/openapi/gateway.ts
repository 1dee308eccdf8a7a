import * as z from 'zod';
import { problemType } from '../../shared/errors.ts';
import { request_id } from './examples.ts';
import { jsonResponse, type Operation, type ResponseSpec, type ResponseSpecs, ref, type Schemas } from './operation.ts';
import { type Code, explainCodes, problemCodes } from './problem-codes.ts';

/*
 * The responses of API Gateway itself, before or instead of a handler. One shape for both protocols, as application/json: the members of
 * RFC 9457 and those of Wan's errors, with the codes of the handlers.
 */

interface GatewayProblem extends Pick<ResponseSpec, 'headers' | 'optionalHeaders'> {
  code: Code;
}

/** By status: the code, and the headers of such responses. @see infra/api/gateway-responses.ts, which a test compares with this */
const gatewayProblems: Readonly<Record<number, GatewayProblem>> = {
  400: { code: 'bad_request' },
  401: { code: 'unauthorized', headers: ['WWW-Authenticate'] },
  403: { code: 'access_denied' },
  404: { code: 'route_not_found' },
  413: { code: 'request_too_large' },
  415: { code: 'unsupported_content_encoding', headers: ['Accept-Encoding'] },
  429: { code: 'too_many_requests', headers: ['Retry-After'] },
  // With Retry-After if the authorizer failed.
  500: { code: 'internal_error', optionalHeaders: ['Retry-After'] },
  502: { code: 'bad_gateway', headers: ['Retry-After'] },
  504: { code: 'gateway_timeout' },
};

const gatewayCodes = Object.values(gatewayProblems).map(({ code }) => code);

export const gatewayProblemSchema = z
  .strictObject({
    type: z.enum(gatewayCodes.map(problemType)),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: 'What is wrong and how to fix it.' }),
    code: z.enum(gatewayCodes).meta({ description: 'Stable, for programs.' }),
    message: z
      .string()
      .meta({ description: "`title` and `detail`, what is wrong and then what to do, for clients of Wan's protocol." }),
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
  if (method === 'post' || method === 'put') statuses.push(413, 415);
  return Object.fromEntries([...statuses, 429, 500, 502, 504].map((status) => [status, responseOf(status)]));
}

/** @throws Error for a status that the gateway does not return */
function responseOf(status: number): ResponseSpec {
  const kind = gatewayProblems[status];
  if (!kind) throw new Error(`The gateway has no response with status ${status}.`);
  const { code, ...headers } = kind;
  const { meaning, fix } = problemCodes[code];
  const [title, detail] = [meaning.replaceAll('`', ''), fix.replaceAll('`', '')];
  const value: z.input<typeof gatewayProblemSchema> = {
    type: problemType(code),
    title,
    status,
    detail,
    code,
    message: `${title} ${detail}`,
    request_id,
  };
  const examples = { gateway: { summary: 'From the gateway', value } };
  return jsonResponse(`From the gateway: ${explainCodes([code])}`, ref('GatewayProblem'), examples, headers);
}
