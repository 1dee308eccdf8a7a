import { composeUploads } from './api.ts';
import { dynamoDb, entry, s3 } from './platform.ts';

export const handler = entry('uploads', composeUploads, { dynamoDb: dynamoDb(), s3: s3() });
