import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  type AuthorizerRequest,
  type AuthorizeServices,
  authorize,
  callerOfKey,
  Unauthorized,
} from '../api/auth/authorize.ts';
import { callerOfToken, remoteKeys } from '../api/auth/jwt.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError, inContext } from '../shared/logging.ts';
import { tableOf } from '../video/table.ts';

const { TABLE_NAME, AUTH, TRUSTED_ORIGINS } = readEnvironment('authorize');
const logger = createLogger('authorize');
const table = tableOf(new DynamoDBClient({}), TABLE_NAME);

const services: AuthorizeServices = { table, callerOf: credentialReader() };

function credentialReader(): AuthorizeServices['callerOf'] {
  switch (AUTH.mode) {
    case 'api-key':
      return callerOfKey(table);
    case 'jwt': {
      const keys = remoteKeys(AUTH.jwks_url, { trustedOrigins: TRUSTED_ORIGINS, fetch });
      return (token) => callerOfToken({ keys, now: Date.now }, AUTH, token);
    }
    case 'iam':
      // API Gateway checks signatures itself and asks this function about uploads alone.
      return async () => undefined;
  }
}

export const handler = inContext(logger, async (request: AuthorizerRequest) => {
  try {
    return await authorize(services, request);
  } catch (error) {
    if (!(error instanceof Unauthorized)) logger.error('Nobody could be recognised.', describeError(error));
    throw error;
  }
});
