import path from 'node:path';
import { account, region } from './account.ts';
import { type ApiGateway, createApiGateway } from './api-gateway/api-gateway.ts';
import { readApi } from './api-gateway/read-api.ts';
import { type Clock, sleepBy } from './clock.ts';
import { type DynamoDb, openDynamoDb } from './dynamodb/dynamodb.ts';
import { accessKeyring, roleAccessKey } from './endpoint/access-keys.ts';
import { createEndpoint } from './endpoint/endpoint.ts';
import type { AwsCall } from './endpoint/recorded-calls.ts';
import { readEventSources, readQueues } from './event-sources.ts';
import { createEventBus } from './events/event-bus.ts';
import { objectEvent } from './events/object-events.ts';
import { statusChangeEvent } from './events/status-change-events.ts';
import type { Faults } from './faults.ts';
import { readFunctions } from './functions.ts';
import { createEventSource } from './lambda/event-source.ts';
import { createLambda } from './lambda/lambda.ts';
import type { RequestHandler } from './listen.ts';
import { createMachineCalls, invokeTask } from './machine-calls.ts';
import { checkReferences } from './references.ts';
import { readRules } from './rules.ts';
import { createS3 } from './s3/index.ts';
import { createSecretsManager } from './secrets-manager/secrets-manager.ts';
import { createQueues } from './sqs/queues.ts';
import { createStepFunctions } from './step-functions/step-functions.ts';
import { loadStack, type Stack } from './template/load.ts';
import type { Template } from './template/template.ts';

export interface RuntimeOptions {
  template: Template;
  /** Where the bundle of a function lies, by its logical id. */
  codeDirectory(logicalId: string): string;
  /** Holds everything that survives a restart. */
  directory: string;
  clock: Clock;
  /** Where `endpoint` will be served: the functions' `AWS_ENDPOINT_URL`. */
  endpoint_url: string;
  /** The value of every secret of the template. */
  secret_value: string;
  /** Workers at once per function; more invocations wait. @default 8 */
  largest_concurrency?: number | undefined;
  /** Told of each call to AWS. */
  recordCall(call: AwsCall): void;
  /** @default none */
  faults?: Faults | undefined;
}

/** The template's resources, running. */
export interface Runtime {
  stack: Stack;
  /** The REST API. */
  api: ApiGateway;
  /** Answers the requests to AWS. */
  endpoint: RequestHandler;
  dynamoDb: DynamoDb;
  /** Takes up what an earlier process left, and starts the schedules. `endpoint` must be served by then. */
  resume(): Promise<void>;
  /** Stops what runs without ending it; executions are dropped, and the next process's sweep restarts them. Serve `endpoint` until then. */
  stop(): Promise<void>;
  /** Closes the stores. Serve nothing any more. */
  close(): Promise<void>;
}

/**
 * Makes everything the template declares.
 * @throws TemplateError, or another error that names the resource, for what the local runtime does not know
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { clock, directory, recordCall } = options;
  const { now } = clock;
  const stack = loadStack(options.template, { stack_name: 'firstframe', account, region });
  const functions = readFunctions(stack, options.codeDirectory);
  const rules = readRules(stack);
  const api = readApi(stack);
  checkReferences(stack, { api, rules, functions });

  const keyring = accessKeyring(stack.all('AWS::IAM::Role').map((role) => roleAccessKey(role.attribute('Arn'))));
  const queues = createQueues({ directory: path.join(directory, 'queues'), now, queues: readQueues(stack) });
  const lambda = createLambda({
    directory,
    clock,
    functions,
    endpoint_url: options.endpoint_url,
    queues,
    largest_concurrency: options.largest_concurrency,
    faults: options.faults,
  });
  const eventSources = readEventSources(stack).map((source) =>
    createEventSource({ ...source, clock, queues, invoke: lambda.invoke, recordCall, faults: options.faults }),
  );
  const bus = createEventBus({ clock, rules, accept: lambda.accept, queues });
  const machines = stack.all('AWS::StepFunctions::StateMachine');
  const roleOf = (executionArn: string) =>
    machines.find(({ name }) => executionArn.includes(`:execution:${name}:`))!.properties.RoleArn;
  const machineCalls = createMachineCalls(options.endpoint_url);
  const stepFunctions = createStepFunctions({
    now,
    sleep: sleepBy(clock),
    stateMachines: machines.map(({ name, ref, properties }) => ({
      arn: ref,
      name,
      definition: JSON.parse(properties.DefinitionString) as object,
    })),
    invoke(functionArn, payload, executionArn) {
      const principal = roleOf(executionArn);
      recordCall({ at: now(), principal, action: 'lambda:InvokeFunction', resource: functionArn });
      return invokeTask(lambda, functionArn, payload);
    },
    callAws: (_action, parameters, executionArn) => machineCalls.updateItem(parameters, roleOf(executionArn)),
    onStatusChange(detail) {
      // The process's own end loses the event as well; the sweep finds the execution.
      bus
        .put(statusChangeEvent(detail, now()))
        .catch((error: unknown) => console.error(`The status change of ${detail.name}:`, error));
    },
  });
  const s3 = createS3({
    directory: path.join(directory, 's3'),
    now,
    secretOf: (accessKeyId) => keyring(accessKeyId)?.secret_access_key,
    onObjectEvent: async (change) => {
      if (announces.has(change.bucket)) await bus.put(objectEvent(change, now()));
    },
    recordCall: ({ access_key_id = '', action, bucket, key, conditions }) =>
      recordCall({
        at: now(),
        principal: keyring(access_key_id)?.principal ?? 'anonymous',
        action,
        resource: bucket === '' ? '*' : `arn:aws:s3:::${bucket}${key === undefined ? '' : `/${key}`}`,
        ...(conditions ? { conditions } : {}),
      }),
  });
  const buckets = stack.all('AWS::S3::Bucket');
  const announces = new Set(
    buckets
      .filter(({ properties }) => properties.NotificationConfiguration?.EventBridgeConfiguration?.EventBridgeEnabled)
      .map(({ name }) => name),
  );
  const [dynamoDb] = await Promise.all([
    openDynamoDb({
      directory: path.join(directory, 'dynamodb'),
      tables: stack.all('AWS::DynamoDB::Table').map(({ name, properties }) => ({ ...properties, name })),
    }),
    ...buckets.map(({ name, properties }) =>
      s3.createBucket(name, {
        versioned: properties.VersioningConfiguration?.Status === 'Enabled',
        cors: properties.CorsConfiguration?.CorsRules.map((rule) => ({
          allowed_origins: rule.AllowedOrigins,
          allowed_methods: rule.AllowedMethods,
          allowed_headers: rule.AllowedHeaders,
          exposed_headers: rule.ExposedHeaders,
          max_age_seconds: rule.MaxAge,
        })),
      }),
    ),
  ]);
  const secretsManager = createSecretsManager({
    now,
    secrets: stack
      .all('AWS::SecretsManager::Secret')
      .map(({ name, ref }) => ({ arn: ref, name, value: options.secret_value })),
  });
  const endpoint = createEndpoint({
    now,
    accessKey: keyring,
    recordCall,
    bus,
    dynamoDb,
    lambda,
    queues,
    s3,
    secretsManager,
    stepFunctions,
  });

  return {
    stack,
    api: createApiGateway({ api, lambda, clock, accessKey: keyring }),
    endpoint: options.faults?.aroundEndpoint?.(endpoint.handle) ?? endpoint.handle,
    dynamoDb,
    async resume() {
      await Promise.all([lambda.resume(), s3.resume(), queues.resume()]);
      for (const source of eventSources) source.start();
      bus.start();
    },
    async stop() {
      bus.close();
      for (const source of eventSources) source.close();
      // Before the workers: what ends with them must not look like a task's failure.
      stepFunctions.close();
      machineCalls.close();
      await lambda.close();
    },
    async close() {
      await s3.close();
      await dynamoDb.close();
    },
  };
}
