import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { readEnvironment } from '../shared/environment.ts';
import { createLogger, describeError, inContext } from '../shared/logging.ts';
import { createMeasure } from '../shared/measure.ts';
import { tableOf } from '../video/table.ts';
import { dispatcherOf } from '../workflow/dispatcher.ts';
import { aboutRequest } from './about-request.ts';
import { apiHandler } from './api-handler.ts';
import { intakeOf } from './intake.ts';
import { logTakenTo } from './log-taken.ts';
import { placesOf } from './places.ts';
import { startPatience } from './start-patience.ts';
import { type SubmitServices, submit } from './submit.ts';

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
