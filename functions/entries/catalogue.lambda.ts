import { composeCatalogue } from './api.ts';
import { dynamoDb, entry } from './platform.ts';

export const handler = entry('catalogue', composeCatalogue, { dynamoDb: dynamoDb() });
