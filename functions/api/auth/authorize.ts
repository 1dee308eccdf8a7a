import type { APIGatewayAuthorizerResult } from 'aws-lambda';
import type { Caller } from '../../shared/caller.ts';
import type { Table } from '../../video/table.ts';
import { headerValues, type RequestHeaders } from '../http/request.ts';
import { ownerOfKey } from './api-keys.ts';
import { readUploadToken, type UploadGrant } from './upload-token.ts';

/** What API Gateway answers with 401; it knows the word. */
export class Unauthorized extends Error {
  override readonly name = 'Unauthorized';
  constructor() {
    super('Unauthorized');
  }
}

/** What an authorizer of API Gateway is told of a request. */
export interface AuthorizerRequest extends RequestHeaders {
  methodArn: string;
  /** The route it matched. */
  resource: string;
  httpMethod: string;
  multiValueQueryStringParameters?: Record<string, string[] | undefined> | null;
}

export interface AuthorizeServices {
  table: Table;
  /** Who a Bearer credential belongs to, be it a key or a token; undefined when it is nobody's. */
  callerOf(credential: string): Promise<Caller | undefined>;
}

/**
 * Tells API Gateway who calls. Two kinds of credentials, and neither is ever taken in the other's place: a key or token in the
 * header `Authorization: Bearer …`; and for the form that uploads a file by Wan's protocol, the token of its policy in the query.
 *
 * The first answer is cached by API Gateway for 60 s per credential: so long somebody is still known whose key was revoked or whose
 * token expired in between. It allows every route, since it is given for all of them; what an owner may see is the handlers' to decide.
 * @throws Unauthorized for a missing or unknown credential; any other error is no answer about it, and becomes a 500
 */
export async function authorize(
  { table, callerOf }: AuthorizeServices,
  request: AuthorizerRequest,
): Promise<APIGatewayAuthorizerResult> {
  if (isUpload(request)) {
    const token = uploadToken(request);
    const grant = token === undefined ? undefined : await readUploadToken(table, token);
    if (!grant) throw new Unauthorized();
    return allow(grant, request.methodArn);
  }
  const credential = bearerCredential(request);
  const caller = credential === undefined ? undefined : await callerOf(credential);
  if (!caller) throw new Unauthorized();
  return allow(caller, everyRoute(request.methodArn));
}

/** Who an API key belongs to. */
export const callerOfKey =
  (table: Table): AuthorizeServices['callerOf'] =>
  (key) =>
    key.length <= 512 ? ownerOfKey(table, key) : Promise.resolve(undefined);

const isUpload = ({ resource, httpMethod }: AuthorizerRequest): boolean =>
  resource === '/api/v1/uploads' && httpMethod === 'POST';

const allow = (
  { owner, key_id, upload_id }: Caller & Partial<UploadGrant>,
  resource: string,
): APIGatewayAuthorizerResult => ({
  principalId: owner,
  policyDocument: {
    Version: '2012-10-17',
    Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: resource }],
  },
  context: { owner, key_id, ...(upload_id === undefined ? {} : { upload_id }) },
});

/** The credential of the one Authorization header. Of two, one could be looked up and the other be what the answer is cached under. */
function bearerCredential(request: RequestHeaders): string | undefined {
  const [authorization = '', ...others] = headerValues(request, 'authorization');
  return others.length === 0 ? /^Bearer +(\S{1,8192})$/i.exec(authorization)?.[1] : undefined;
}

/** The token of the one query parameter. */
function uploadToken({ multiValueQueryStringParameters }: AuthorizerRequest): string | undefined {
  const [token = '', ...others] = multiValueQueryStringParameters?.upload_token ?? [];
  return others.length === 0 && /^ffu_[\w-]{43}$/.test(token) ? token : undefined;
}

/** `arn:…:api/stage/GET/videos` → `arn:…:api/stage/*`. */
const everyRoute = (methodArn: string): string => `${methodArn.split('/').slice(0, 2).join('/')}/*`;
