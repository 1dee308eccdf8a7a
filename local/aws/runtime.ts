import path from 'node:path';
import { account, region } from './account.ts';
import { type ApiGateway, createApiGateway } from './api-gateway/api-gateway.ts';
import { readApi } from './api-gateway/read-api.ts';
import { checkReferences } from './check-references.ts';
import { type Clock, createSleep } from './clock.ts';
import { type DynamoDb, openDynamoDb } from './dynamodb/dynamodb.ts';
import { createKeyring, roleAccessKey } from './endpoint/access-keys.ts';
import type { AwsCall } from './endpoint/aws-call.ts';
import { createEndpoint } from './endpoint/endpoint.ts';
import { objectEvent, statusChangeEvent } from './events/event.ts';
import { createEventBus } from './events/event-bus.ts';
import type { FaultInjection } from './fault-injection.ts';
import { createEventSource } from './lambda/event-source.ts';
import { createLambda } from './lambda/lambda.ts';
import type { RequestHandler } from './listen.ts';
import { readEventSources, readFunctions, readQueues, readRules } from './read-resources.ts';
import { createS3 } from './s3/s3.ts';
import { serveSecrets } from './secrets-manager.ts';
import { createQueues } from './sqs/queues.ts';
import { createTaskClient, runLambdaTask } from './state-machine-tasks.ts';
import { createStepFunctions } from './step-functions/step-functions.ts';
import { loadStack, type Stack } from './template/load-stack.ts';
import type { Template } from './template/template.ts';

export interface RuntimeOptions {
  template: Template;
  /** Returns the directory of a function's bundle. */
  codeDirectory(logicalId: string): string;
  /** Holds all state that survives a restart. */
  directory: string;
  clock: Clock;
  /** The address of `endpoint`, which the functions get as `AWS_ENDPOINT_URL`. */
  endpoint_url: string;
  /** The value of every secret in the template that is not generated. */
  secret_value: string;
  /** The maximum number of workers per function. Further invocations wait. @default 8 */
  max_concurrency?: number | undefined;
  /** Called for each AWS call. */
  recordCall(call: AwsCall): void;
  faults?: FaultInjection | undefined;
}

/** The running resources of the template. */
export interface Runtime {
  stack: Stack;
  /** The REST API. */
  api: ApiGateway;
  /** Handles requests to AWS services. */
  endpoint: RequestHandler;
  dynamoDb: DynamoDb;
  /** Resumes what an earlier process left unfinished and starts the schedules. `endpoint` must be served before. */
  resume(): Promise<void>;
  /**
   * Stops all work. Executions are dropped; the sweep of the next process restarts them. Serve `endpoint` until this
   * resolves.
   */
  stop(): Promise<void>;
  /** Closes the database. Stop serving requests before. */
  close(): Promise<void>;
}

/**
 * Creates all resources of a template.
 * @throws TemplateError, or an Error that names the resource, for anything that the local runtime does not support
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { clock, directory, recordCall } = options;
  const { now } = clock;
  const stack = loadStack(options.template, { stack_name: 'firstframe', account, region });
  const functions = readFunctions(stack, options.codeDirectory);
  const rules = readRules(stack);
  const api = readApi(stack);
  checkReferences(stack, { api, rules, functions });

  const keyring = createKeyring(stack.all('AWS::IAM::Role').map((role) => roleAccessKey(role.attribute('Arn'))));
  const queues = createQueues({ directory: path.join(directory, 'queues'), now, queues: readQueues(stack) });
  const lambda = createLambda({
    directory,
    clock,
    functions,
    endpoint_url: options.endpoint_url,
    queues,
    max_concurrency: options.max_concurrency,
    faults: options.faults,
  });
  const eventSources = readEventSources(stack).map((source) =>
    createEventSource({ ...source, clock, queues, invoke: lambda.invoke, recordCall, faults: options.faults }),
  );
  const bus = createEventBus({
    clock,
    buses: stack.all('AWS::Events::EventBus').map(({ name }) => name),
    rules,
    accept: lambda.accept,
    queues,
  });
  const machines = stack.all('AWS::StepFunctions::StateMachine');
  const roleOf = (executionArn: string) =>
    machines.find(({ name }) => executionArn.includes(`:execution:${name}:`))!.properties.RoleArn;
  const taskClient = createTaskClient(options.endpoint_url);
  const stepFunctions = createStepFunctions({
    now,
    sleep: createSleep(clock),
    stateMachines: machines.map(({ name, ref, properties }) => ({
      arn: ref,
      name,
      definition: JSON.parse(properties.DefinitionString) as object,
    })),
    invokeFunction(functionArn, payload, executionArn) {
      const principal = roleOf(executionArn);
      recordCall({ at: now(), principal, action: 'lambda:InvokeFunction', resource: functionArn });
      return runLambdaTask(lambda, functionArn, payload);
    },
    callAws: (_action, parameters, executionArn) => taskClient.updateItem(parameters, roleOf(executionArn)),
    onStatusChange(detail) {
      // If the process ends here, the event is lost and the sweep finds the execution.
      bus
        .put(statusChangeEvent(detail, now()))
        .catch((error: unknown) => console.error(`Could not publish the status change of ${detail.name}:`, error));
    },
  });
  const s3 = createS3({
    directory: path.join(directory, 's3'),
    now,
    secretOf: (accessKeyId) => keyring(accessKeyId)?.secret_access_key,
    onObjectEvent: async (change) => {
      if (bucketsWithEvents.has(change.bucket)) await bus.put(objectEvent(change, now()));
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
  const bucketsWithEvents = new Set(
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
  const secrets = stack.all('AWS::SecretsManager::Secret');
  const getSecretValue = serveSecrets(
    secrets.map(({ name, ref, properties }) => ({
      arn: ref,
      name,
      // A generated value must survive a restart, and is not worth hiding from the developer's own machine.
      value: properties.GenerateSecretString ? `generated for ${name}` : options.secret_value,
    })),
    now,
  );
  const endpoint = createEndpoint({
    now,
    accessKey: keyring,
    recordCall,
    bus,
    dynamoDb,
    lambda,
    queues,
    s3,
    getSecretValue,
    stepFunctions,
  });

  return {
    stack,
    api: createApiGateway({ api, lambda, clock, accessKey: keyring }),
    endpoint: options.faults?.wrapEndpoint?.(endpoint.handle) ?? endpoint.handle,
    dynamoDb,
    async resume() {
      await Promise.all([lambda.resume(), s3.resume(), queues.resume()]);
      for (const source of eventSources) source.start();
      bus.start();
    },
    async stop() {
      bus.close();
      for (const source of eventSources) source.close();
      // Must close before the workers, or the end of a worker would count as a failed task.
      stepFunctions.close();
      taskClient.close();
      await lambda.close();
    },
    close: dynamoDb.close,
  };
}
