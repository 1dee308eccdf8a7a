import { composeDispatch } from './maintenance.ts';
import { dynamoDb, entry, eventBridge, sqs, stepFunctions } from './platform.ts';

export const handler = entry('dispatch', composeDispatch, {
  eventBridge: eventBridge(),
  dynamoDb: dynamoDb(),
  stepFunctions: stepFunctions(),
  sqs: sqs(),
});
