import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { countUpload, createUploadToken } from '../api/auth/upload-token.ts';
import { answersWithin } from '../api/dashscope/cancel-task-route.ts';
import { dashscopeHandler } from '../api/dashscope/handler.ts';
import { storeUpload } from '../api/dashscope/receive-upload.ts';
import type { DashscopeServices } from '../api/dashscope/services.ts';
import { aboutRequest } from '../api/http/handler.ts';
import { cancelVideo } from '../api/videos/cancel.ts';
import { linkToObject } from '../api/videos/content.ts';
import { wanClientOf } from '../polling/rate-limited-wan.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError, inContext } from '../shared/logging.ts';
import { createMeasure } from '../shared/metrics.ts';
import { takeRequest } from '../submissions/accept-request.ts';
import { tableOf } from '../video/table.ts';
import { dispatcherOf, intakeOf, logTakenTo, startPatience, watchedTable } from './services.ts';

const environment = readEnvironment('dashscope');
const logger = createLogger('dashscope');
const measure = createMeasure();
const s3 = new S3Client({});
const table = watchedTable(tableOf(new DynamoDBClient({}), environment.TABLE_NAME), { s3, measure, logger });
const stepFunctions = new SFNClient(startPatience);
const dispatcher = dispatcherOf(environment, table, stepFunctions);
const intake = intakeOf(environment, dispatcher, s3, {
  measure,
  logUndispatched: (video, error) =>
    logger.error('A video stays queued for now.', { ...describeError(error), video_id: video.id }),
});
const logTaken = logTakenTo(logger);
const wan = wanClientOf(environment, new SecretsManagerClient({}));

const services: DashscopeServices = {
  table,
  region: environment.WAN_REGION,
  uploads_bucket: environment.UPLOADS_BUCKET,
  takeRequest: async (given) => {
    const taken = await takeRequest(intake, { ...given, mode: 'tolerant' });
    logTaken(taken);
    return taken;
  },
  cancelVideo: (video, milliseconds) => cancelVideo({ ...dispatcher, wan: answersWithin(milliseconds, wan) }, video),
  linkTo: (object, file) => linkToObject(s3, object, file),
  createUploadToken: (caller, upload) => createUploadToken(table, caller, upload),
  countUpload: (token) => countUpload(table, token),
  storeUpload: (file) => storeUpload(s3, environment.UPLOADS_BUCKET, file),
  sleep: (milliseconds) => setTimeout(milliseconds),
};

export const handler = inContext(
  logger,
  dashscopeHandler(services, (error, request_id) =>
    logger.error('A request failed.', { ...describeError(error), request_id }),
  ),
  aboutRequest,
);
