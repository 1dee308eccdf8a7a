import type { Contract } from '../support/contract.ts';
import type { FuzzRequest } from './requests.ts';
import type { RawAnswer } from './send.ts';

/** As whom a request comes: one of the two owners, nobody whom the API knows, or somebody of whom that can't be told beforehand. */
type Access = 'own' | 'other' | 'nobody' | 'unknown';

export function accessOf({ route, credentials, form }: Pick<FuzzRequest, 'route' | 'credentials' | 'form'>): Access {
  if (!route || route.security.length === 0) return 'unknown';
  if (route.security.some((scheme) => 'upload_token' in scheme)) {
    // A token that was used before may still be good, if nothing came of the upload.
    return form && form.token !== 'wrong' ? 'unknown' : 'nobody';
  }
  // Either key is a good one: the gateway may have remembered whose it is.
  if (credentials === 'twice') return 'unknown';
  return credentials === 'own' || credentials === 'other' ? credentials : 'nobody';
}

/** Whether a request names a video that is another owner's than the one who asks. */
export function namesForeignVideo(request: FuzzRequest): boolean {
  const access = accessOf(request);
  const { path, id } = request;
  return path.includes('{') && ((access === 'own' && id.kind === 'other') || (access === 'other' && id.kind === 'own'));
}

/** Whether there is no video that a request could be about, whoever asks. */
const namesNoVideo = ({ path, id }: FuzzRequest): boolean =>
  path.includes('{') && (id.kind === 'never' || id.kind === 'text');

/** What is wrong with an answer for the one who got it; undefined if nothing is. */
export function accessFault(contract: Contract, request: FuzzRequest, answer: RawAnswer): string | undefined {
  const { status, body } = answer;
  if (accessOf(request) === 'nobody') {
    return status === 401 || isOfTheGateway(contract, answer) ? undefined : `a ${status} to nobody that the API knows`;
  }
  if (!namesForeignVideo(request) && !namesNoVideo(request)) return undefined;
  // Wan's protocol knows of a task that is not there that its status is unknown.
  const isUnknown = status === 200 && /"task_status":"UNKNOWN"/.test(body);
  if (status === 400 || status === 404 || status === 405 || isUnknown || isOfTheGateway(contract, answer))
    return undefined;
  return `a ${status} about a video that is not there for the one who asks`;
}

/** The gateway refuses what it can't read or carry before it asks whose it is. */
const isOfTheGateway = (contract: Contract, { status, body }: RawAnswer): boolean =>
  status >= 400 && status < 500 && isGatewayProblem(contract, body);

function isGatewayProblem(contract: Contract, body: string): boolean {
  try {
    return contract.faultOf({ $ref: '#/components/schemas/GatewayProblem' }, JSON.parse(body)) === undefined;
  } catch {
    return false;
  }
}

/** Differs in every answer, and tells nothing. */
const ofEachAnswer = new Set(['date', 'x-amzn-requestid', 'x-amzn-trace-id', 'x-amz-apigw-id', 'connection']);
const uuids = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

/** What tells two answers apart but the ids in them; undefined if nothing does. */
export function differenceOf(one: RawAnswer, other: RawAnswer): string | undefined {
  const [first, second] = [comparable(one), comparable(other)];
  const differing = [...new Set([...first.keys(), ...second.keys()])].filter(
    (part) => first.get(part) !== second.get(part),
  );
  return differing.length === 0 ? undefined : differing.join(', ');
}

const comparable = ({ status, headers, body }: RawAnswer): Map<string, string> =>
  new Map([
    ['status', String(status)],
    ['body', body.replaceAll(uuids, '<id>')],
    ...Object.entries(headers)
      .filter(([name]) => !ofEachAnswer.has(name))
      .map(([name, value]): [string, string] => [name, String(value).replaceAll(uuids, '<id>')]),
  ]);
