import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { aboutRequest, apiHandler } from '../api/http/handler.ts';
import { type SubmitServices, submit } from '../api/videos/create.ts';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError, inContext } from '../shared/logging.ts';
import { createMeasure } from '../shared/metrics.ts';
import { tableOf } from '../video/table.ts';
import { dispatcherOf, intakeOf, logTakenTo, placesOf, startPatience } from './services.ts';

const environment = readEnvironment('submit');
const logger = createLogger('submit');
const table = tableOf(new DynamoDBClient({}), environment.TABLE_NAME);
const stepFunctions = new SFNClient(startPatience);

const services: SubmitServices = {
  ...intakeOf(environment, dispatcherOf(environment, table, stepFunctions), new S3Client({}), {
    measure: createMeasure(),
    logUndispatched: (video, error) =>
      logger.error('A video stays queued for now.', { ...describeError(error), video_id: video.id }),
  }),
  logTaken: logTakenTo(logger),
  placeInQueue: placesOf(environment, table, logger),
  sleep: (milliseconds) => setTimeout(milliseconds),
};

export const handler = inContext(
  logger,
  apiHandler(
    (request, caller) => submit(services, request, caller),
    (error, request_id) => logger.error('A request failed.', { ...describeError(error), request_id }),
  ),
  aboutRequest,
);
