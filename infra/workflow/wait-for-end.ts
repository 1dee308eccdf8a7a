import { Duration, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CustomState, type IChainable, JsonPath } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** The attributes of a wait item and their sources, mostly fields of `$.wait` (`Wait` in functions/polling/wait-item.ts). */
const attributes = [
  { name: 'run', type: 'N', from: '$.wait.run' },
  { name: 'task_id', type: 'S', from: '$.wait.task_id' },
  { name: 'submit_time', type: 'S', from: '$.wait.submit_time' },
  { name: 'token', type: 'S', from: '$$.Task.Token' },
  { name: 'open_order', type: 'S', from: '$.wait.order' },
  { name: 'wake_after', type: 'N', from: '$.wait.wake_after' },
  { name: 'ttl', type: 'N', from: '$.wait.ttl' },
] as const;

/**
 * Creates the state in which an execution sleeps. It writes its task token to the wait item of its video, and sleeps until the
 * watcher wakes it with the token or `$.wait.timeout_seconds` have passed. The state's output is its input. An error also leads
 * to the next state, which queries Wan. If a newer run has the item, the next state ends this run.
 */
export function waitForEnd(scope: Construct, table: ITable, next: IChainable): CustomState {
  const state = new CustomState(scope, 'WaitForEnd', {
    stateJson: {
      Type: 'Task',
      Resource: `arn:${Stack.of(scope).partition}:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken`,
      Parameters: {
        TableName: table.tableName,
        Key: { pk: { 'S.$': '$.wait.key' } },
        UpdateExpression: `SET open_status = :open_status, ${attributes.map(({ name }) => `#${name} = :${name}`).join(', ')}`,
        ConditionExpression: 'attribute_not_exists(#run) OR #run <= :run',
        // `token` and `ttl` are reserved words.
        ExpressionAttributeNames: Object.fromEntries(attributes.map(({ name }) => [`#${name}`, name])),
        ExpressionAttributeValues: {
          ':open_status': { S: 'waiting' },
          ...Object.fromEntries(attributes.map(({ name, type, from }) => [`:${name}`, { [`${type}.$`]: from }])),
        },
      },
      TimeoutSecondsPath: '$.wait.timeout_seconds',
      ResultPath: null,
    },
  });
  state.addRetry({ errors: ['DynamoDb.ConditionalCheckFailedException'], maxAttempts: 0 });
  // Every error except States.Timeout. Waits 5, 10, 20, 40 s, then 60 s each: 7 min 15 s.
  state.addRetry({
    errors: ['States.TaskFailed'],
    interval: Duration.seconds(5),
    backoffRate: 2,
    maxDelay: Duration.seconds(60),
    maxAttempts: 10,
  });
  state.addCatch(next, { errors: ['States.ALL'], resultPath: JsonPath.stringAt('$.error') });
  state.next(next);
  return state;
}

/** Allows the state machine to update wait items and no others. A request without keys is denied. */
export const waitItemsStatement = (table: ITable): PolicyStatement =>
  new PolicyStatement({
    actions: ['dynamodb:UpdateItem'],
    resources: [table.tableArn],
    conditions: {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['wait#*'] },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    },
  });
