import { setTimeout } from 'node:timers/promises';
import type { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, type EventBridgeClientConfig } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient, type SFNClientConfig } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { SendWebhook } from '../events/webhook-request.ts';
import { type Environment, type FunctionName, readEnvironment } from '../shared/environment.ts';
import { createLogger } from '../shared/logging.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import { documentClient, type Table } from '../video/table.ts';

/** What every function uses. */
interface Basics {
  clock: {
    /** Milliseconds since 1970. */
    now: () => number;
    sleep: (milliseconds: number) => Promise<void>;
  };
  /** Returns a number from 0 to less than 1. */
  random: () => number;
  fetch: typeof fetch;
  logger: Pick<Logger, 'addContext' | 'appendKeys' | 'resetKeys' | 'info' | 'warn' | 'error'>;
}

/** What some functions use. A bundle contains only the clients that its entry names. */
interface Clients {
  dynamoDb: Table['client'];
  s3: S3Client;
  stepFunctions: Pick<SFNClient, 'send'>;
  sqs: Pick<SQSClient, 'send'>;
  eventBridge: Pick<EventBridgeClient, 'send'>;
  lambda: Pick<LambdaClient, 'send'>;
  secrets: Pick<SecretsManagerClient, 'send'>;
  recordMetric: RecordMetric;
  sendWebhook: SendWebhook;
}

/** Everything outside the process: AWS in a deployed function, a simulation in bench and fault suite. */
export type Platform<Names extends keyof Clients = keyof Clients> = Basics & Pick<Clients, Names>;

/**
 * Returns the handler of a deployed function.
 * @throws Error when an environment variable is missing or invalid, so that a wrong deployment fails when the function loads
 */
export const entry = <Name extends FunctionName, Names extends keyof Clients, Handler>(
  name: Name,
  compose: (environment: Environment<Name>, platform: Platform<Names>) => Handler,
  clients: Pick<Clients, Names>,
): Handler =>
  compose(readEnvironment(name), {
    clock: { now: Date.now, sleep: (milliseconds) => setTimeout(Math.max(0, milliseconds)) },
    random: Math.random,
    fetch,
    logger: createLogger(name),
    ...clients,
  });

export const dynamoDb = (config: DynamoDBClientConfig = {}): Clients['dynamoDb'] =>
  documentClient(new DynamoDBClient(config));
export const s3 = (): S3Client => new S3Client({});
export const stepFunctions = (config: SFNClientConfig = {}): SFNClient => new SFNClient(config);
/** Without `useQueueUrlAsEndpoint: false`, the queue's URL would take precedence over `AWS_ENDPOINT_URL`. */
export const sqs = (): SQSClient => new SQSClient({ useQueueUrlAsEndpoint: false });
export const eventBridge = (config: EventBridgeClientConfig = { maxAttempts: 2, requestHandler }): EventBridgeClient =>
  new EventBridgeClient(config);
export const lambda = (): LambdaClient => new LambdaClient({});
export const secrets = (): SecretsManagerClient => new SecretsManagerClient({});

/** A timeout of 5 s per attempt: for calls that a caller waits for, or that must not use up another call's deadline. */
const requestHandler = { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true };

/** The deadline of the call to Wan starts with its ledger entry, so a hanging write to DynamoDB must not use it up. */
export const ledgerClientConfig: DynamoDBClientConfig = { requestHandler };

/**
 * Limits the start of an execution while a caller waits. It may fail, because the record is written already: two attempts of 5 s stay
 * within API Gateway's limit of 29 s.
 */
export const startExecutionClientConfig: SFNClientConfig = { maxAttempts: 2, requestHandler };
