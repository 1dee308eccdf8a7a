import { composeUploads } from './api.ts';
import { entry, s3 } from './platform.ts';

export const handler = entry('uploads', composeUploads, { s3: s3() });
