import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayAuthorizerResult } from 'aws-lambda';
import { keys, sha256Hex } from '../video/keys.ts';
import type { Table } from '../video/store.ts';
import { headerValues, type RequestHeaders } from './http.ts';

/** What API Gateway answers with 401; it knows the word. */
export class Unauthorized extends Error {
  override readonly name = 'Unauthorized';
  constructor() {
    super('Unauthorized');
  }
}

/**
 * Finds who calls by the SHA-256 of the key in `Authorization: Bearer KEY`. The answer is cached for 60 s per key, so it allows
 * every route: what an owner may see is decided by the handlers.
 * @throws Unauthorized for a missing, unknown or revoked key
 */
export async function authorize(
  table: Table,
  event: RequestHeaders & { methodArn: string },
): Promise<APIGatewayAuthorizerResult> {
  const key = bearerKey(event);
  if (key === undefined) throw new Unauthorized();
  const { Item = {} } = await table.client.send(
    new GetCommand({ TableName: table.tableName, Key: { pk: keys.apiKey(sha256Hex(key)) }, ConsistentRead: true }),
  );
  const { owner, key_id, revoked_at } = Item;
  if (typeof owner !== 'string' || typeof key_id !== 'string' || revoked_at !== undefined) throw new Unauthorized();
  return {
    principalId: owner,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: everyRoute(event.methodArn) }],
    },
    context: { owner, key_id },
  };
}

/** The key of the one Authorization header. Of two, one could be looked up and the other be what the answer is cached under. */
function bearerKey(event: RequestHeaders): string | undefined {
  const [authorization = '', ...others] = headerValues(event, 'authorization');
  return others.length === 0 ? /^Bearer +(\S{1,512})$/i.exec(authorization)?.[1] : undefined;
}

/** `arn:…:api/stage/GET/videos` → `arn:…:api/stage/*`. */
const everyRoute = (methodArn: string): string => `${methodArn.split('/').slice(0, 2).join('/')}/*`;
