import { composeHealth } from './api.ts';
import { dynamoDb, entry } from './platform.ts';

export const handler = entry('health', composeHealth, { dynamoDb: dynamoDb() });
