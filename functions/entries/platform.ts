import { setTimeout } from 'node:timers/promises';
import type { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient, type SFNClientConfig } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { type Environment, type FunctionName, readEnvironment } from '../shared/environment.ts';
import { createLogger } from '../shared/logging.ts';
import type { RecordMetric } from '../shared/metrics.ts';
import { documentClient, type Table } from '../video/table.ts';

/** What every function uses of the machine it runs on. */
interface Basics {
  clock: {
    /** Milliseconds since 1970. */
    now: () => number;
    sleep: (milliseconds: number) => Promise<void>;
  };
  /** From 0 up to, not including, 1. */
  random: () => number;
  fetch: typeof fetch;
  logger: Pick<Logger, 'addContext' | 'appendKeys' | 'resetKeys' | 'info' | 'warn' | 'error'>;
}

/** What only some functions use: a bundle holds the code of those that its entry names. */
interface Clients {
  dynamoDb: Table['client'];
  s3: S3Client;
  stepFunctions: Pick<SFNClient, 'send'>;
  sqs: Pick<SQSClient, 'send'>;
  lambda: Pick<LambdaClient, 'send'>;
  secrets: Pick<SecretsManagerClient, 'send'>;
  recordMetric: RecordMetric;
}

/** What a function is composed over: AWS in a Lambda, a simulation in a bench. */
export type Platform<Names extends keyof Clients = keyof Clients> = Basics & Pick<Clients, Names>;

/**
 * The handler of a deployed function.
 * @throws Error when a variable of its environment is missing or wrong, so that a deployment mistake shows when the Lambda loads
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
/** Not at the address of the queue, which would go before `AWS_ENDPOINT_URL`. */
export const sqs = (): SQSClient => new SQSClient({ useQueueUrlAsEndpoint: false });
export const lambda = (): LambdaClient => new LambdaClient({});
export const secrets = (): SecretsManagerClient => new SecretsManagerClient({});

/** Two attempts of 5 s: for calls that somebody waits for, or that must not use up another call's time. */
const requestHandler = { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true };

/** The call to Wan has a time limit that counts from its ledger entry: a write that hangs must not use it up. */
export const ledgerClientConfig: DynamoDBClientConfig = { requestHandler };

/**
 * How long the start of an execution may take while a caller waits for the answer. The record is kept without it: two attempts of
 * 5 s stay well within the gateway's 29.
 */
export const startExecutionClientConfig: SFNClientConfig = { maxAttempts: 2, requestHandler };
