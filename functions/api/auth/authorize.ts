import type { APIGatewayAuthorizerResult } from 'aws-lambda';
import type { Caller } from '../../shared/caller.ts';
import type { Table } from '../../video/table.ts';
import { headerValues, type RequestHeaders } from '../http/request.ts';
import { ownerOfKey } from './api-keys.ts';
import { readUploadToken, type UploadGrant } from './upload-token.ts';

/** API Gateway turns an error with exactly this message into a 401. */
export class Unauthorized extends Error {
  override readonly name = 'Unauthorized';
  constructor() {
    super('Unauthorized');
  }
}

/** The event of a REQUEST authorizer. */
export interface AuthorizerRequest extends RequestHeaders {
  methodArn: string;
  /** The route it matched. */
  resource: string;
  httpMethod: string;
  multiValueQueryStringParameters?: Record<string, string[] | undefined> | null;
}

export interface AuthorizeServices {
  table: Table;
  /** The caller that a Bearer credential (key or token) belongs to; undefined for an invalid one. */
  callerOf(credential: string): Promise<Caller | undefined>;
}

/**
 * Identifies the caller for API Gateway. There are two kinds of credentials, and neither is accepted in place of the other: a key or
 * token in the header `Authorization: Bearer …`, and, for the upload form of Wan's protocol, the upload token in the query.
 *
 * API Gateway caches the result of a Bearer credential for 60 s, so a revoked key or expired token works for up to 60 s longer. The
 * cached policy allows every route; handlers decide what an owner may see.
 * @throws Unauthorized for a missing or unknown credential; any other error becomes a 500
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

/** The caller that an API key belongs to. */
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

/** The credential of the only Authorization header. With two, one could be checked while the result is cached under the other. */
function bearerCredential(request: RequestHeaders): string | undefined {
  const [authorization = '', ...others] = headerValues(request, 'authorization');
  return others.length === 0 ? /^Bearer +(\S{1,8192})$/i.exec(authorization)?.[1] : undefined;
}

/** The upload token, if the query has exactly one. */
function uploadToken({ multiValueQueryStringParameters }: AuthorizerRequest): string | undefined {
  const [token = '', ...others] = multiValueQueryStringParameters?.upload_token ?? [];
  return others.length === 0 && /^ffu_[\w-]{43}$/.test(token) ? token : undefined;
}

/** `arn:…:api/stage/GET/videos` → `arn:…:api/stage/*`. */
const everyRoute = (methodArn: string): string => `${methodArn.split('/').slice(0, 2).join('/')}/*`;
