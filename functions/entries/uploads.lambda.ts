import { S3Client } from '@aws-sdk/client-s3';
import { aboutRequest, apiHandler } from '../api/http/handler.ts';
import { createUpload, type UploadServices } from '../api/videos/create-upload.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError, inContext } from '../shared/logging.ts';

const environment = readEnvironment('uploads');
const logger = createLogger('uploads');

const services: UploadServices = { s3: new S3Client({}), uploadsBucket: environment.UPLOADS_BUCKET, now: Date.now };

export const handler = inContext(
  logger,
  apiHandler(
    (request, caller) => createUpload(services, request, caller),
    (error, request_id) => logger.error('A request failed.', { ...describeError(error), request_id }),
  ),
  aboutRequest,
);
