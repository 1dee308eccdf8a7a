import { composeDispatch } from './maintenance.ts';
import { dynamoDb, entry, stepFunctions } from './platform.ts';

export const handler = entry('dispatch', composeDispatch, {
  dynamoDb: dynamoDb(),
  stepFunctions: stepFunctions(),
});
