import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DynamoDb } from '../dynamodb/dynamodb.ts';
import type { EventBus } from '../events/event-bus.ts';
import { putEvents } from '../events/put-events.ts';
import { parseObject } from '../json.ts';
import type { Lambda } from '../lambda/lambda.ts';
import type { S3 } from '../s3/s3.ts';
import type { GetSecretValue } from '../secrets-manager.ts';
import { ServiceError } from '../service-error.ts';
import type { Queues } from '../sqs/queues.ts';
import { sendMessage, sendMessageBatch } from '../sqs/send-message.ts';
import type { StepFunctions } from '../step-functions/step-functions.ts';
import { type AwsCall, conditionKeys, resourceArn } from './aws-call.ts';
import { type CallerServices, readCall } from './caller.ts';

export interface EndpointOptions extends CallerServices {
  recordCall(call: AwsCall): void;
  bus: EventBus;
  dynamoDb: DynamoDb;
  lambda: Lambda;
  queues: Queues;
  s3: S3;
  getSecretValue: GetSecretValue;
  stepFunctions: StepFunctions;
}

/** One address for all AWS services, for `AWS_ENDPOINT_URL`. */
export interface Endpoint {
  /** Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

interface JsonResponse {
  status: number;
  headers?: Record<string, string>;
  body: string;
}

/** Runs one operation of a service with the AWS JSON protocol. @throws ServiceError */
type JsonService = (operation: string, body: string) => Promise<JsonResponse>;

/** Routes requests: the JSON protocols by their target header, Lambda by its path, all others to S3. */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { bus, now, queues, stepFunctions } = options;
  const services: Record<string, { iam: string; handle: JsonService }> = {
    DynamoDB_20120810: { iam: 'dynamodb', handle: options.dynamoDb.handle },
    AWSStepFunctions: { iam: 'states', handle: jsonService(stepFunctions.handle) },
    AWSEvents: {
      iam: 'events',
      handle: operations('EventBridge', { PutEvents: (input) => putEvents(input, { bus, now }) }),
    },
    AmazonSQS: {
      iam: 'sqs',
      handle: operations('SQS', {
        SendMessage: (input) => sendMessage(input, queues),
        SendMessageBatch: (input) => sendMessageBatch(input, queues),
      }),
    },
    secretsmanager: {
      iam: 'secretsmanager',
      handle: operations('Secrets Manager', { GetSecretValue: options.getSecretValue }),
    },
  };
  const callJsonService = async (target: string, request: IncomingMessage): Promise<JsonResponse> => {
    const [serviceName = '', operation = ''] = target.split('.');
    const service = Object.hasOwn(services, serviceName) ? services[serviceName] : undefined;
    if (!service)
      throw new ServiceError(
        'UnknownOperationException',
        `The local AWS endpoint does not support ${serviceName}, only ${Object.keys(services).join(', ')}, Lambda's Invoke and S3.`,
      );
    const { body, principal } = await readCall(request, options);
    const text = body.toString('utf8');
    const input = parseInput(text);
    options.recordCall({
      at: options.now(),
      principal,
      // IAM has one action for one message and for several.
      action: `${service.iam}:${operation.replace(/^(SendMessage)Batch$/, '$1')}`,
      resource: resourceArn(service.iam, operation, input),
      ...conditionKeys(service.iam, input),
    });
    const response = await service.handle(operation, text);
    // The response has the protocol version of the request.
    return { ...response, headers: { 'content-type': request.headers['content-type'] ?? jsonContentType } };
  };

  return {
    async handle(request, response) {
      const target = request.headers['x-amz-target'];
      const functionReference = /^\/2015-03-31\/functions\/([^/]+)\/invocations(?:\?|$)/.exec(request.url ?? '')?.[1];
      if (target === undefined && functionReference === undefined) return options.s3.handle(request, response);
      const result = await (functionReference === undefined
        ? callJsonService(String(target), request)
        : invokeFunction(decodeURIComponent(functionReference), request, options)
      ).catch(errorResponse);
      response.writeHead(result.status, { 'content-length': Buffer.byteLength(result.body), ...result.headers });
      response.end(result.body);
    },
  };
}

/** Lambda's Invoke over HTTP, synchronous or as an event. @throws ServiceError */
async function invokeFunction(
  reference: string,
  request: IncomingMessage,
  services: EndpointOptions,
): Promise<JsonResponse> {
  const { body, principal } = await readCall(request, services);
  const { lambda } = services;
  const { arn } = lambda.find(reference);
  // Permissions for an alias are separate from those for the function.
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

const jsonContentType = 'application/x-amz-json-1.0';

function jsonService(handle: (operation: string, input: Record<string, unknown>) => Promise<object>): JsonService {
  return async (operation, body) => ({ status: 200, body: JSON.stringify(await handle(operation, parseInput(body))) });
}

/** A service with some of its operations. */
function operations(
  service: string,
  supported: Record<string, (input: Record<string, unknown>) => Promise<object>>,
): JsonService {
  return jsonService((operation, input) => {
    if (Object.hasOwn(supported, operation)) return supported[operation]!(input);
    throw new ServiceError(
      'UnknownOperationException',
      `The local ${service} does not support ${operation}, only ${Object.keys(supported).join(', ')}.`,
    );
  });
}

function parseInput(body: string): Record<string, unknown> {
  const input = parseObject(body || '{}');
  if (input) return input;
  throw new ServiceError('SerializationException', 'The body is not a JSON object.');
}

/** Formats an error as the JSON protocols do. An error that is not a service's own becomes an InternalServerError. */
function errorResponse(error: unknown): JsonResponse {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  const type = status === 500 ? 'InternalServerError' : name;
  return {
    status,
    headers: { 'content-type': jsonContentType, 'x-amzn-errortype': type },
    body: JSON.stringify({ __type: type, message }),
  };
}
