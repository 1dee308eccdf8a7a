import type { Contract } from '../support/contract.ts';
import type { FuzzRequest } from './requests.ts';
import type { RawResponse } from './send.ts';

/** The caller of a request: one of the two owners, unauthenticated, or not known in advance. */
type Access = 'own' | 'other' | 'unauthenticated' | 'unknown';

export function accessOf({ route, credentials, form }: Pick<FuzzRequest, 'route' | 'credentials' | 'form'>): Access {
  if (!route || route.security.length === 0) return 'unknown';
  if (route.security.some((scheme) => 'upload_token' in scheme)) {
    // A used token may still be valid if its upload failed.
    return form && form.token !== 'wrong' ? 'unknown' : 'unauthenticated';
  }
  // Both keys are valid, and the gateway may use either.
  if (credentials === 'twice') return 'unknown';
  return credentials === 'own' || credentials === 'other' ? credentials : 'unauthenticated';
}

/** Whether a route has the id of a video, rather than the name of a model or a token. */
const hasVideo = (path: string): boolean => /\{(id|task_id)\}/.test(path);

/** Whether a request names a video of another owner than its caller. */
export function namesForeignVideo(request: FuzzRequest): boolean {
  const access = accessOf(request);
  const { path, id } = request;
  return hasVideo(path) && ((access === 'own' && id.kind === 'other') || (access === 'other' && id.kind === 'own'));
}

/** Whether the video that a request names does not exist for any owner. */
const namesNoVideo = ({ path, id }: FuzzRequest): boolean =>
  hasVideo(path) && (id.kind === 'never' || id.kind === 'text');

/** Returns how a response exceeds the rights of its caller; undefined if it does not. */
export function accessFault(contract: Contract, request: FuzzRequest, response: RawResponse): string | undefined {
  const { status, body } = response;
  if (accessOf(request) === 'unauthenticated') {
    return status === 401 || isGatewayResponse(contract, response) ? undefined : `a ${status} without authentication`;
  }
  if (!namesForeignVideo(request) && !namesNoVideo(request)) return undefined;
  // In Wan's protocol a missing task has the status UNKNOWN.
  const isHeadOfTask = request.method === 'HEAD' && /^\/api\/v1\/tasks\//.test(request.path) && body === '';
  const isUnknown = status === 200 && (isHeadOfTask || /"task_status":"UNKNOWN"/.test(body));
  // The methods of a path, whether it names a video or not.
  if (request.method === 'OPTIONS' && status === 204) return undefined;
  // A key that the caller has used before, whatever the request names.
  const isOwnKey = [409, 410].includes(status) && /"code":"(idempotency_conflict|video_deleted)"/.test(body);
  if (isOwnKey) return undefined;
  if (status === 400 || status === 404 || status === 405 || isUnknown || isGatewayResponse(contract, response))
    return undefined;
  return `a ${status} for a video that does not exist for the caller`;
}

/** Whether the gateway rejected the request, which it may do before authentication. */
const isGatewayResponse = (contract: Contract, { status, body }: RawResponse): boolean =>
  status >= 400 && status < 500 && isGatewayProblem(contract, body);

function isGatewayProblem(contract: Contract, body: string): boolean {
  try {
    return contract.faultOf({ $ref: '#/components/schemas/GatewayProblem' }, JSON.parse(body)) === undefined;
  } catch {
    return false;
  }
}

/** Headers that differ in every response. */
const uniqueHeaders = new Set(['date', 'x-amzn-requestid', 'x-amzn-trace-id', 'x-amz-apigw-id', 'connection']);
const uuids = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

/** Returns the parts in which two responses differ apart from ids; undefined if they are equal. */
export function differenceOf(one: RawResponse, other: RawResponse): string | undefined {
  const [first, second] = [comparable(one), comparable(other)];
  const differing = [...new Set([...first.keys(), ...second.keys()])].filter(
    (part) => first.get(part) !== second.get(part),
  );
  return differing.length === 0 ? undefined : differing.join(', ');
}

const comparable = ({ status, headers, body }: RawResponse): Map<string, string> =>
  new Map([
    ['status', String(status)],
    ['body', body.replaceAll(uuids, '<id>')],
    ...Object.entries(headers)
      .filter(([name]) => !uniqueHeaders.has(name))
      .map(([name, value]): [string, string] => [name, String(value).replaceAll(uuids, '<id>')]),
  ]);
