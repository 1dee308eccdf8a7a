import type { APIGatewayProxyResult } from 'aws-lambda';
import { withEtag } from './etag.ts';
import type { RequestHeaders } from './http.ts';

/** `GET /openapi.json`: the contract. It says the same to everybody, so anybody's page may read it and any cache may keep it. */
export function getContract(request: RequestHeaders, contract: string): APIGatewayProxyResult {
  const answer = withEtag(request, {
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: contract,
  });
  const { vary, ...headers } = { ...answer.headers };
  return { ...answer, headers: { ...headers, 'cache-control': 'no-cache', 'access-control-allow-origin': '*' } };
}
