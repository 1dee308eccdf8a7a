import type { ApiDefinition } from './api-definition.ts';
import type { ApiRequest } from './request.ts';
import { header } from './request.ts';

/** What went wrong, where an answer is the gateway's own. */
export interface GatewayFault {
  response_type: string;
  message: string;
}

export interface ContextSource {
  api: Pick<ApiDefinition, 'api_id' | 'stage_name'>;
  request: ApiRequest;
  resource_path: string;
  fault: GatewayFault;
}

/** The `$context` variables that a gateway response may use. */
export const contextVariables: Record<string, (source: ContextSource) => string> = {
  apiId: ({ api }) => api.api_id,
  'error.message': ({ fault }) => fault.message,
  // The message as JSON text, with its quotation marks.
  'error.messageString': ({ fault }) => JSON.stringify(fault.message),
  'error.responseType': ({ fault }) => fault.response_type,
  extendedRequestId: ({ request }) => request.request_id,
  httpMethod: ({ request }) => request.http_method,
  'identity.sourceIp': ({ request }) => request.source_ip,
  'identity.userAgent': ({ request }) => header(request, 'user-agent') ?? '',
  path: ({ request }) => request.path,
  protocol: ({ request }) => request.protocol,
  requestId: ({ request }) => request.request_id,
  requestTimeEpoch: ({ request }) => String(request.received_at),
  resourcePath: ({ resource_path }) => resource_path,
  stage: ({ api }) => api.stage_name,
};
