import { composeDispatch } from './maintenance.ts';
import { dynamoDb, entry, s3, stepFunctions } from './platform.ts';

export const handler = entry('dispatch', composeDispatch, {
  dynamoDb: dynamoDb(),
  s3: s3(),
  stepFunctions: stepFunctions(),
});
