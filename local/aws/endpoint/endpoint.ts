import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DynamoDb } from '../dynamodb/dynamodb.ts';
import type { EventBus } from '../events/event-bus.ts';
import { putEvents } from '../events/put-events.ts';
import type { Lambda } from '../lambda/lambda.ts';
import type { S3 } from '../s3/index.ts';
import type { SecretsManager } from '../secrets-manager/secrets-manager.ts';
import { ServiceError } from '../service-error.ts';
import type { Queues } from '../sqs/queues.ts';
import { sendMessage } from '../sqs/send-message.ts';
import type { StepFunctions } from '../step-functions/step-functions.ts';
import { type CallerServices, readCall } from './caller.ts';
import { type AwsCall, conditionsOf, resourceOf } from './recorded-calls.ts';

export interface EndpointOptions extends CallerServices {
  recordCall(call: AwsCall): void;
  bus: EventBus;
  dynamoDb: DynamoDb;
  lambda: Lambda;
  queues: Queues;
  s3: S3;
  secretsManager: SecretsManager;
  stepFunctions: StepFunctions;
}

/** One address for all AWS services, as `AWS_ENDPOINT_URL` wants it. */
export interface Endpoint {
  /** Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

interface WireAnswer {
  status: number;
  headers?: Record<string, string>;
  body: string;
}

/** Answers one operation of a service of the AWS JSON protocol. @throws ServiceError */
type JsonService = (operation: string, body: string) => Promise<WireAnswer>;

/** The AWS JSON protocols by their target header, Lambda by its path; what is neither is S3's. */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { bus, now, queues, secretsManager, stepFunctions } = options;
  const services: Record<string, { iam: string; handle: JsonService }> = {
    DynamoDB_20120810: { iam: 'dynamodb', handle: options.dynamoDb.handle },
    AWSStepFunctions: { iam: 'states', handle: json(stepFunctions.handle) },
    AWSEvents: { iam: 'events', handle: only('EventBridge', 'PutEvents', (input) => putEvents(input, { bus, now })) },
    AmazonSQS: { iam: 'sqs', handle: only('SQS', 'SendMessage', (input) => sendMessage(input, queues)) },
    secretsmanager: {
      iam: 'secretsmanager',
      handle: only('Secrets Manager', 'GetSecretValue', secretsManager.getSecretValue),
    },
  };
  const callJson = async (target: string, request: IncomingMessage): Promise<WireAnswer> => {
    const [serviceName = '', operation = ''] = target.split('.');
    const service = Object.hasOwn(services, serviceName) ? services[serviceName] : undefined;
    if (!service)
      throw unknownOperation(
        `The local AWS endpoint has no service ${serviceName}: it knows ${Object.keys(services).join(', ')}, Lambda's Invoke and S3.`,
      );
    const { body, principal } = await readCall(request, options);
    const text = body.toString('utf8');
    const input = parse(text);
    options.recordCall({
      at: options.now(),
      principal,
      action: `${service.iam}:${operation}`,
      resource: resourceOf(service.iam, operation, input),
      ...conditionsOf(service.iam, input),
    });
    const answer = await service.handle(operation, text);
    // Services write the version of the protocol that they were asked in.
    return { ...answer, headers: { 'content-type': request.headers['content-type'] ?? jsonType } };
  };

  return {
    async handle(request, response) {
      const target = request.headers['x-amz-target'];
      const functionReference = /^\/2015-03-31\/functions\/([^/]+)\/invocations(?:\?|$)/.exec(request.url ?? '')?.[1];
      if (target === undefined && functionReference === undefined) return options.s3.handle(request, response);
      const answer = await (functionReference === undefined
        ? callJson(String(target), request)
        : invokeFunction(decodeURIComponent(functionReference), request, options)
      ).catch(refusal);
      response.writeHead(answer.status, { 'content-length': Buffer.byteLength(answer.body), ...answer.headers });
      response.end(answer.body);
    },
  };
}

/** Lambda's Invoke over HTTP, waiting or as an event. @throws ServiceError */
async function invokeFunction(
  reference: string,
  request: IncomingMessage,
  services: EndpointOptions,
): Promise<WireAnswer> {
  const { body, principal } = await readCall(request, services);
  const { lambda } = services;
  const { arn } = lambda.find(reference);
  // An alias has a grant of its own.
  const resource = reference.startsWith('arn:') ? reference : arn;
  services.recordCall({ at: services.now(), principal, action: 'lambda:InvokeFunction', resource });
  const payload = body.length === 0 ? '{}' : body.toString('utf8');
  if (request.headers['x-amz-invocation-type'] === 'Event') {
    await lambda.accept(reference, payload);
    return { status: 202, body: '' };
  }
  const outcome = await lambda.invoke(reference, payload);
  const common = { 'content-type': 'application/json', 'x-amz-executed-version': '$LATEST' };
  if ('payload' in outcome) return { status: 200, headers: common, body: outcome.payload };
  return {
    status: 200,
    headers: { ...common, 'x-amz-function-error': 'Unhandled' },
    body: JSON.stringify(outcome.error),
  };
}

const jsonType = 'application/x-amz-json-1.0';

function json(handle: (operation: string, input: Record<string, unknown>) => Promise<object>): JsonService {
  return async (operation, body) => ({ status: 200, body: JSON.stringify(await handle(operation, parse(body))) });
}

/** A service of which one operation is there. */
function only(service: string, known: string, run: (input: Record<string, unknown>) => Promise<object>): JsonService {
  return json((operation, input) => {
    if (operation === known) return run(input);
    throw unknownOperation(`The local ${service} has no ${operation}, only ${known}.`);
  });
}

function parse(body: string): Record<string, unknown> {
  try {
    const input: unknown = JSON.parse(body || '{}');
    if (typeof input === 'object' && input !== null) return input as Record<string, unknown>;
  } catch {
    // Answered like any other body that is no JSON object.
  }
  throw new ServiceError('SerializationException', 400, 'The body is not a JSON object.');
}

function unknownOperation(why: string): ServiceError {
  return new ServiceError('UnknownOperationException', 400, why);
}

/** An error as the JSON protocols write it. What no service refused by name is this machine's own trouble, and said so. */
function refusal(error: unknown): WireAnswer {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  const type = status === 500 ? 'InternalServerError' : name;
  return {
    status,
    headers: { 'content-type': jsonType, 'x-amzn-errortype': type },
    body: JSON.stringify({ __type: type, message }),
  };
}
