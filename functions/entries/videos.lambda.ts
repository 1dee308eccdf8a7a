import { composeVideos } from './api.ts';
import { dynamoDb, entry, s3 } from './platform.ts';

export const handler = entry('videos', composeVideos, { dynamoDb: dynamoDb(), s3: s3() });
