import { Duration, Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CustomState, type IChainable, JsonPath } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** The attributes of a wait item, with the fields of `$.wait` (`Wait` in functions/polling/wait-item.ts) that fill them. */
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
 * The execution writes its task token to the wait item of its video and sleeps: until the watcher wakes it with the token, or for
 * `$.wait.timeout_seconds`. The state's input is its output. What keeps it from sleeping leads to the next state as well, which asks
 * Wan; so does a newer run that has the item, and there it ends.
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
  // Everything but States.Timeout. Waits 5, 10, 20, 40 s, then 60 s each: 7 min 15 s.
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

/** What the state machine may do for it: update wait items and no others. A request without keys in it is refused. */
export const waitItemsStatement = (table: ITable): PolicyStatement =>
  new PolicyStatement({
    actions: ['dynamodb:UpdateItem'],
    resources: [table.tableArn],
    conditions: {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['wait#*'] },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    },
  });
