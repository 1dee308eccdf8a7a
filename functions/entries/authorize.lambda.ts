import { composeAuthorize } from './api.ts';
import { dynamoDb, entry } from './platform.ts';

export const handler = entry('authorize', composeAuthorize, { dynamoDb: dynamoDb() });
