import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readHeaders } from '../signature/canonical.ts';
import { SignatureError } from '../signature/verify.ts';
import { authenticate, signatureErrorCodes, splitParameters } from './authenticate.ts';
import { corsHeaders, preflightResponse } from './cors.ts';
import { S3Error } from './errors.ts';
import { type ReceivedRequest, readTarget, type S3Response, sendResponse } from './http/messages.ts';
import { writeErrorXml } from './http/xml.ts';
import type { Call, HandlerServices } from './operations/call.ts';
import { isPostObject, postObject } from './post/post-object.ts';
import { runOperation } from './run-operation.ts';

/** Responds to one request. Never rejects: every error becomes an S3 error document. */
export async function handleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  services: HandlerServices,
): Promise<void> {
  // An error while reading the body must not destroy the connection, which still has to carry the response.
  const body = request.iterator({ destroyOnReturn: false });
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  let cors: S3Response['headers'] = {};
  let result: S3Response;
  try {
    const headers = readHeaders(request.rawHeaders);
    const target = readTarget(request.url ?? '/', headers.get('host'));
    const received: ReceivedRequest = { method: request.method ?? '', target, headers, body };
    const rules = services.buckets.find(received.target.bucket)?.state().cors ?? [];
    cors = corsHeaders(rules, received.method, received.headers);
    if (received.method === 'OPTIONS') result = preflightResponse(rules, received.headers);
    else if (isPostObject(received)) result = await postObject(received, services);
    else result = await runSignedRequest(received, services);
  } catch (error) {
    result = errorResponse(error, requestId);
  }
  // The date of the server's clock. The SDK corrects its own clock by this header.
  response.sendDate = false;
  const headers = {
    date: new Date(services.now()).toUTCString(),
    server: 'AmazonS3',
    'x-amz-id-2': requestId,
    'x-amz-request-id': requestId,
    ...cors,
    ...result.headers,
  };
  await sendResponse(response, { ...result, headers }, request.method === 'HEAD');
  // The rest of the body is read and discarded, so that the connection can be reused.
  await body.return?.();
  request.resume();
}

async function runSignedRequest(received: ReceivedRequest, services: HandlerServices): Promise<S3Response> {
  const access = authenticate(received, services);
  const { access_key_id } = access;
  const { bucket, key } = received.target;
  const target = key === '' ? { bucket } : { bucket, key };
  const call: Call = {
    ...received,
    ...access,
    ...splitParameters(received.target.parameters, received.headers),
    record: (action, resource = target, conditions) =>
      services.recordCall({ access_key_id, action, ...resource, ...(conditions ? { conditions } : {}) }),
  };
  return runOperation(call, services);
}

function errorResponse(cause: unknown, requestId: string): S3Response {
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
  if (cause instanceof SignatureError) return new S3Error(signatureErrorCodes[cause.reason], cause.message);
  // The message includes the cause, since the clients of this server are its developers.
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new S3Error('InternalError', `We encountered an internal error. Please try again. (${reason})`);
}
