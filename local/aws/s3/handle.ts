import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readHeaders } from '../signature/canonical.ts';
import { SignatureError } from '../signature/verify.ts';
import { authenticate, signatureErrorCodes, splitParameters } from './authenticate.ts';
import { answerPreflight, corsHeaders } from './cors.ts';
import { S3Error } from './errors.ts';
import { type Answer, type ReceivedRequest, readTarget, sendAnswer } from './http/messages.ts';
import { writeErrorXml } from './http/xml.ts';
import type { Call, HandlerServices } from './operations/call.ts';
import { isPostObject, postObject } from './post/post-object.ts';
import { runOperation } from './route.ts';

/** Answers one request. Never rejects: whatever fails becomes an S3 error document. */
export async function handleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  services: HandlerServices,
): Promise<void> {
  // An error halfway through the body must not take the connection with it: its answer is still to be sent.
  const body = request.iterator({ destroyOnReturn: false });
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  let cors: Answer['headers'] = {};
  let answer: Answer;
  try {
    const received = readRequest(request, body);
    const rules = services.buckets.find(received.target.bucket)?.state().cors ?? [];
    cors = corsHeaders(rules, received.method, received.headers);
    if (received.method === 'OPTIONS') answer = answerPreflight(rules, received.headers);
    else if (isPostObject(received)) answer = await postObject(received, services);
    else answer = await answerSigned(received, services);
  } catch (error) {
    answer = errorAnswer(error, requestId);
  }
  // The clock of the whole server: the SDK sets its own by this header when the two differ.
  response.sendDate = false;
  const headers = {
    date: new Date(services.now()).toUTCString(),
    server: 'AmazonS3',
    'x-amz-id-2': requestId,
    'x-amz-request-id': requestId,
    ...cors,
    ...answer.headers,
  };
  await sendAnswer(response, { ...answer, headers }, request.method === 'HEAD');
  // What is left of the body is read and forgotten, so that the connection can carry the next request.
  await body.return?.();
  request.resume();
}

function readRequest(request: IncomingMessage, body: AsyncIterable<Buffer>): ReceivedRequest {
  const headers = readHeaders(request.rawHeaders);
  return {
    method: request.method ?? '',
    target: readTarget(request.url ?? '/', headers.get('host')),
    headers,
    body,
  };
}

async function answerSigned(received: ReceivedRequest, services: HandlerServices): Promise<Answer> {
  const access = authenticate(received, services);
  const { bucket, key } = received.target;
  const addressed = key === '' ? { bucket } : { bucket, key };
  const call: Call = {
    ...received,
    ...access,
    ...splitParameters(received.target.parameters, received.headers),
    record: (action, resource = addressed, conditions) =>
      services.recordCall({
        access_key_id: access.access_key_id,
        action,
        ...resource,
        ...(conditions ? { conditions } : {}),
      }),
  };
  return runOperation(call, services);
}

function errorAnswer(cause: unknown, requestId: string): Answer {
  const error = readError(cause);
  const document = { Code: error.code, Message: error.message, ...error.details.elements };
  return {
    status: error.status,
    headers: { 'content-type': 'application/xml', ...error.details.headers },
    body: writeErrorXml({ ...document, RequestId: requestId, HostId: requestId }),
  };
}

function readError(cause: unknown): S3Error {
  if (cause instanceof S3Error) return cause;
  if (cause instanceof SignatureError) return new S3Error(signatureErrorCodes[cause.fault], cause.message);
  // The cause is told: this server's callers are its developers.
  const why = cause instanceof Error ? cause.message : String(cause);
  return new S3Error('InternalError', `We encountered an internal error. Please try again. (${why})`);
}
