import { DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  DescribeExecutionCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { PurgeQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { openDynamoDb } from '../../../local/aws/dynamodb/dynamodb.ts';
import { smallTemplate } from './small-template.ts';
import { notes, running } from './start-runtime.ts';
import { temporaryDirectory, until } from './support.ts';

const table = 'firstframe-videos';
const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:firstframe-machine';

describe('the AWS endpoint with the real SDK', () => {
  test('DynamoDB has the template’s table and index, and keeps items over a restart', async () => {
    const first = await running();
    const item = {
      pk: { S: 'video#1' },
      owner: { S: 'ann' },
      created_at_id: { S: '2026' },
      big: { N: '12345678901234567890.123' },
    };
    await new DynamoDBClient(first.client).send(new PutItemCommand({ TableName: table, Item: item }));
    await first.close();

    const second = await running({ directory: first.directory });
    const client = new DynamoDBClient(second.client);
    const found = await client.send(new GetItemCommand({ TableName: table, Key: { pk: { S: 'video#1' } } }));
    expect(found.Item).toEqual(item);
    const query = {
      TableName: table,
      IndexName: 'by_owner',
      KeyConditionExpression: '#owner = :ann',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':ann': { S: 'ann' } },
    };
    expect((await client.send(new QueryCommand(query))).Count).toBe(1);
    expect(second.calls).toMatchObject([
      {
        principal: 'local',
        action: 'dynamodb:GetItem',
        resource: `arn:aws:dynamodb:us-east-1:000000000000:table/${table}`,
      },
      { action: 'dynamodb:Query', resource: `arn:aws:dynamodb:us-east-1:000000000000:table/${table}/index/by_owner` },
    ]);
    const twice = new PutItemCommand({ TableName: table, Item: item, ConditionExpression: 'attribute_not_exists(pk)' });
    await expect(client.send(twice)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
  });

  test('DynamoDB completes the calls in progress when it stops and rejects later ones', async () => {
    const directory = temporaryDirectory();
    const key = [{ AttributeName: 'pk', KeyType: 'HASH' as const }];
    const definition = {
      name: 'test',
      KeySchema: key,
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' as const }],
    };
    const dynamoDb = await openDynamoDb({ directory, tables: [definition] });
    const put = (pk: string) =>
      dynamoDb.handle('PutItem', JSON.stringify({ TableName: 'test', Item: { pk: { S: pk } } }));
    await put('early');
    const query = {
      TableName: 'test',
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: 'early' } },
    };
    const pending = Array.from({ length: 50 }, () => dynamoDb.handle('Query', JSON.stringify(query)));
    const closed = dynamoDb.close();
    await expect(put('late')).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    expect((await Promise.all(pending)).every(({ status }) => status === 200)).toBe(true);
    await closed;
  });

  test('Secrets Manager returns a secret by its ARN and its name', async () => {
    const { client } = await running();
    const secrets = new SecretsManagerClient(client);
    const arn = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:firstframe-wan-api-key-local0';
    for (const SecretId of [arn, 'firstframe-wan-api-key'])
      expect(await secrets.send(new GetSecretValueCommand({ SecretId }))).toMatchObject({
        ARN: arn,
        SecretString: 'sk-local',
      });
    await expect(secrets.send(new GetSecretValueCommand({ SecretId: 'other' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  test('Step Functions runs the template’s function with the state machine’s role', async () => {
    const { received, code } = await notes();
    const { client, calls } = await running({ code });
    const stepFunctions = new SFNClient(client);
    const { executionArn } = await stepFunctions.send(
      new StartExecutionCommand({ stateMachineArn, name: 'a-1', input: '{"id":"a","run":1}' }),
    );
    const described = () => stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
    await until(async () => (await described()).status === 'SUCCEEDED');
    expect(JSON.parse((await described()).output ?? '')).toMatchObject({ id: 'a' });
    expect(received).toContainEqual({ id: 'a', run: 1 });
    expect(calls).toContainEqual(
      expect.objectContaining({
        principal: 'arn:aws:iam::000000000000:role/firstframe-machine',
        action: 'lambda:InvokeFunction',
      }),
    );
    const again = new StartExecutionCommand({ stateMachineArn, name: 'a-1', input: '{"id":"b"}' });
    await expect(stepFunctions.send(again)).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  });

  test('Step Functions writes a task token with the state machine’s role and continues when it is sent back', async () => {
    const wait = {
      Type: 'Task',
      Resource: 'arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken',
      Parameters: {
        TableName: table,
        Key: { pk: { 'S.$': '$.id' } },
        UpdateExpression: 'SET #token = :token',
        ConditionExpression: 'attribute_not_exists(pk)',
        ExpressionAttributeNames: { '#token': 'token' },
        ExpressionAttributeValues: { ':token': { 'S.$': '$$.Task.Token' } },
      },
      End: true,
    };
    const machine = smallTemplate.Resources.StateMachine!;
    const DefinitionString = JSON.stringify({ StartAt: 'Only', States: { Only: wait } });
    const StateMachine = { ...machine, Properties: { ...machine.Properties, DefinitionString } };
    const template = { ...smallTemplate, Resources: { ...smallTemplate.Resources, StateMachine } };
    const { client, calls } = await running({ template });
    const stepFunctions = new SFNClient(client);
    const dynamoDb = new DynamoDBClient(client);
    const start = (name: string) =>
      stepFunctions.send(new StartExecutionCommand({ stateMachineArn, name, input: '{"id":"wait#a"}' }));
    const described = async (name: string) =>
      stepFunctions.send(
        new DescribeExecutionCommand({
          executionArn: `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`,
        }),
      );
    const key = { TableName: table, Key: { pk: { S: 'wait#a' } } };
    const token = async () => (await dynamoDb.send(new GetItemCommand(key))).Item?.token?.S;
    await start('a-1');
    await until(async () => (await token()) !== undefined);
    await start('a-2');
    await until(async () => (await described('a-2')).status === 'FAILED');
    expect(await described('a-2')).toMatchObject({ error: 'DynamoDb.ConditionalCheckFailedException' });

    const sendSuccess = new SendTaskSuccessCommand({ taskToken: await token(), output: '{"ended":true}' });
    await stepFunctions.send(sendSuccess);
    await until(async () => (await described('a-1')).status === 'SUCCEEDED');
    expect((await described('a-1')).output).toBe('{"ended":true}');
    await expect(stepFunctions.send(sendSuccess)).rejects.toMatchObject({ name: 'TaskTimedOut' });
    expect(calls).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({
          principal: 'arn:aws:iam::000000000000:role/firstframe-machine',
          action: 'dynamodb:UpdateItem',
          resource: 'arn:aws:dynamodb:us-east-1:000000000000:table/firstframe-videos',
        }),
        expect.objectContaining({ action: 'states:SendTaskSuccess', resource: stateMachineArn }),
      ]),
    );
  });

  test('a failed function fails the execution with its error, and the rule for failed executions gets the event', async () => {
    const { received, code } = await notes();
    const failing = code.replace(
      'return {',
      `if (event.run) { const e = new Error('gone'); e.name = 'ArchiveInterrupted'; throw e } return {`,
    );
    const { client } = await running({ code: failing });
    await new SFNClient(client).send(
      new StartExecutionCommand({ stateMachineArn, name: 'b-1', input: '{"id":"b","run":1}' }),
    );
    await until(() => received.some((event) => event.source === 'aws.states'));
    expect(received.find((event) => event.source === 'aws.states')).toMatchObject({
      'detail-type': 'Step Functions Execution Status Change',
      detail: { name: 'b-1', status: 'FAILED', error: 'ArchiveInterrupted', stateMachineArn },
    });
  });

  test('S3 publishes the events of a bucket only if it has EventBridge enabled', async () => {
    const { received, code } = await notes();
    const { client, calls } = await running({ code });
    const s3 = new S3Client(client);
    await s3.send(new PutObjectCommand({ Bucket: 'firstframe-videos', Key: 'drop/a.png', Body: 'no' }));
    await s3.send(new PutObjectCommand({ Bucket: 'firstframe-uploads', Key: 'other/a.png', Body: 'no' }));
    const { VersionId } = await s3.send(
      new PutObjectCommand({ Bucket: 'firstframe-uploads', Key: 'drop/a.png', Body: 'yes' }),
    );
    await until(() => received.length > 0);
    expect(received).toMatchObject([
      {
        source: 'aws.s3',
        detail: {
          bucket: { name: 'firstframe-uploads' },
          object: { key: 'drop/a.png', size: 3, 'version-id': VersionId },
        },
      },
    ]);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'firstframe-uploads', Key: 'drop/a.png' }));
    expect(await Body?.transformToString()).toBe('yes');
    expect(calls.at(-1)).toMatchObject({
      principal: 'local',
      action: 's3:GetObject',
      resource: 'arn:aws:s3:::firstframe-uploads/drop/a.png',
    });
  });

  test('EventBridge delivers PutEvents entries to the matching rules', async () => {
    const { received, code } = await notes();
    const { client } = await running({ code });
    const entry = { Source: 'firstframe', DetailType: 'Video', Detail: '{"id":1}' };
    const response = await new EventBridgeClient(client).send(new PutEventsCommand({ Entries: [entry] }));
    expect(response.FailedEntryCount).toBe(0);
    await until(() => received.length > 0);
    expect(received).toMatchObject([{ source: 'firstframe', detail: { id: 1 } }]);
  });

  test('SQS delivers a delayed message after a restart', async () => {
    const { received, code } = await notes();
    const first = await running({ code });
    const QueueUrl = 'https://sqs.us-east-1.amazonaws.com/000000000000/firstframe-work';
    const message = new SendMessageCommand({ QueueUrl, MessageBody: '{"id":"é"}', DelaySeconds: 1 });
    const { MessageId } = await new SQSClient(first.client).send(message);
    const queue = 'arn:aws:sqs:us-east-1:000000000000:firstframe-work';
    expect(first.calls).toContainEqual(
      expect.objectContaining({ principal: 'local', action: 'sqs:SendMessage', resource: queue }),
    );
    await first.close();
    expect(received).toEqual([]);

    const second = await running({ directory: first.directory, code });
    await until(() => received.length > 0);
    expect(received).toMatchObject([
      { Records: [{ messageId: MessageId, body: '{"id":"é"}', eventSource: 'aws:sqs', eventSourceARN: queue }] },
    ]);
    await until(() => second.calls.some(({ action }) => action === 'sqs:DeleteMessage'));
    const principal = 'arn:aws:iam::000000000000:role/firstframe-main';
    expect(second.calls).toMatchObject(
      ['GetQueueAttributes', 'ReceiveMessage', 'DeleteMessage'].map((operation) => ({
        principal,
        action: `sqs:${operation}`,
        resource: queue,
      })),
    );
    const elsewhere = new SendMessageCommand({ QueueUrl: `${QueueUrl}2`, MessageBody: 'a' });
    await expect(new SQSClient(second.client).send(elsewhere)).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });

  test('a function calls AWS with its own access key, so that the recorded call has its role', async () => {
    const sdk = JSON.stringify(`${process.cwd()}/node_modules/@aws-sdk/client-dynamodb`);
    const code = `const { DynamoDBClient, GetItemCommand } = require(${sdk});
      exports.handler = async () => { await new DynamoDBClient({}).send(new GetItemCommand({ TableName: '${table}', Key: { pk: { S: 'a' } } })) }`;
    const { client, calls } = await running({ code });
    await new EventBridgeClient(client).send(
      new PutEventsCommand({ Entries: [{ Source: 'firstframe', DetailType: 'a', Detail: '{}' }] }),
    );
    await until(() => calls.some(({ action }) => action === 'dynamodb:GetItem'));
    expect(calls.find(({ action }) => action === 'dynamodb:GetItem')?.principal).toBe(
      'arn:aws:iam::000000000000:role/firstframe-main',
    );
  });

  test.each([
    ['an unknown access key', { accessKeyId: 'unknown', secretAccessKey: 'local' }, 'UnrecognizedClientException'],
    ['a wrong secret', { accessKeyId: 'local', secretAccessKey: 'wrong' }, 'InvalidSignatureException'],
  ])('the JSON services reject %s', async (_, credentials, name) => {
    const { client, calls } = await running();
    const call = new DynamoDBClient({ ...client, credentials }).send(
      new GetItemCommand({ TableName: table, Key: { pk: { S: 'a' } } }),
    );
    await expect(call).rejects.toMatchObject({ name });
    expect(calls).toEqual([]);
  });

  test('an unsupported service or operation is rejected by name', async () => {
    const { url, client } = await running();
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSSM.GetParameter' },
      body: '{}',
    });
    expect([response.status, await response.json()]).toEqual([
      400,
      { __type: 'UnknownOperationException', message: expect.stringContaining('AmazonSSM') },
    ]);
    const purge = new PurgeQueueCommand({
      QueueUrl: 'https://sqs.us-east-1.amazonaws.com/000000000000/firstframe-work',
    });
    await expect(new SQSClient(client).send(purge)).rejects.toThrow(
      'The local SQS does not support PurgeQueue, only SendMessage, SendMessageBatch.',
    );
  });
});
