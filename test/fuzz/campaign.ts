import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { type ContractDocument, readContract } from '../support/contract.ts';
import type { Endpoint } from '../support/endpoint.ts';
import { aRequest } from '../support/requests.ts';
import { differenceOf, namesForeignVideo } from './access.ts';
import { faultOf } from './check-response.ts';
import { type FuzzRequest, requestsOf } from './requests.ts';
import { createSender, type RawRequest, type RawResponse } from './send.ts';
import { createRequestWriter } from './write-request.ts';

export interface CampaignOptions {
  seed: number;
  requests: number;
  /** Texts that no response may contain. */
  secrets: readonly string[];
  /** Concurrent requests. @default 8 */
  concurrency?: number;
}

export interface Report {
  requests: number;
  /** The number of responses by operation and status. */
  responses: Record<string, Record<string, number>>;
  /** The number of videos that the requests created. */
  videos: number;
  /** Each response that the contract does not allow, with its request. */
  faults: string[];
}

/** The maximum number of reported faults. */
const MAX_FAULTS = 25;

/** Sends seeded requests that are generated from the running API's contract, and checks every response against it. */
export async function fuzz(
  api: Endpoint,
  { seed, requests: numRuns, secrets, concurrency = 8 }: CampaignOptions,
): Promise<Report> {
  const contract = readContract((await api.call('/openapi.json')).body as unknown as ContractDocument);
  const { own, other, marker } = await createVideos(api);
  const write = createRequestWriter(api, { own, other });
  const { send, close } = createSender(api.url, concurrency);
  const report: Report = { requests: 0, responses: {}, videos: 0, faults: [] };

  const sendAndCheck = async (request: FuzzRequest, index: number): Promise<void> => {
    const { route, method, credentials } = request;
    const raw = await write(request);
    const response = await send(raw);
    report.requests++;
    const name = route ? `${method} ${route.path}` : 'no operation';
    const statuses = report.responses[name] ?? {};
    report.responses[name] = { ...statuses, [response.status]: (statuses[response.status] ?? 0) + 1 };
    const created = credentials === 'own' && createdVideo(response);
    if (created && !own.includes(created)) {
      own.push(created);
      report.videos++;
    }
    // Only requests with the other owner's key may see that owner's prompts.
    const hasOtherKey = credentials === 'other' || credentials === 'twice';
    const hidden = hasOtherKey ? secrets : [...secrets, marker];
    const fault = faultOf(contract, request, response, hidden) ?? (await foreignFault(request, response));
    if (fault && report.faults.length < MAX_FAULTS) {
      report.faults.push(`SEED=${seed}, request ${index}: ${fault}\n${describeExchange(raw, response)}`);
    }
  };

  /** Checks that another owner's video gets the same response as one that never existed. */
  const foreignFault = async (request: FuzzRequest, response: RawResponse): Promise<string | undefined> => {
    if (!namesForeignVideo(request)) return undefined;
    const difference = differenceOf(response, await send(await write({ ...request, id: { kind: 'never', index: 0 } })));
    return difference && `another owner's video differs from a missing one in ${difference}`;
  };

  try {
    const queue = fc.sample(requestsOf(contract), { seed, numRuns }).entries();
    const connection = async () => {
      for (const [index, request] of queue) await sendAndCheck(request, index);
    };
    await Promise.all(Array.from({ length: concurrency }, connection));
  } finally {
    close();
  }
  return report;
}

/** Creates videos in several states, including those of another owner, whose prompts only that owner may see. */
async function createVideos(api: Endpoint): Promise<{ own: string[]; other: string[]; marker: string }> {
  const marker = `only-for-its-owner-${randomUUID()}`;
  const submit = async (prompt: string, key = api.api_key): Promise<string> => {
    const { status, body } = await api.post('/videos', aRequest(prompt), { authorization: `Bearer ${key}` });
    if (status !== 202) throw new Error(`POST /videos returned ${status}: ${JSON.stringify(body)}`);
    return String(body.id);
  };
  const [succeeded, failed, ...other] = await Promise.all([
    submit('A cat'),
    submit('[[fail=DataInspectionFailed]] A cat'),
    submit(marker, api.other_api_key),
    submit(marker, api.other_api_key),
    submit(`[[fail=DataInspectionFailed]] ${marker}`, api.other_api_key),
  ]);
  await Promise.all([api.finished(succeeded), api.finished(failed)]);
  return { own: [succeeded, failed], other, marker };
}

/** Returns the id of the video that a response created, for later requests. */
const createdVideo = ({ status, body }: RawResponse): string | undefined =>
  (status === 202
    ? /^\{"id":"([0-9a-f-]{36})"/.exec(body)
    : /"task_status":"PENDING","task_id":"([0-9a-f-]{36})"/.exec(body))?.[1];

const truncate = (text: string): string => (text.length > 600 ? `${text.slice(0, 600)}… (${text.length})` : text);

const describeExchange = ({ method, target, headers, body = '' }: RawRequest, response: RawResponse): string =>
  [
    `${method} ${truncate(target)}`,
    ...headers.map(([name, value]) => `${name}: ${truncate(value)}`),
    truncate(typeof body === 'string' ? body : `<${body.toString('hex')}>`),
    `→ ${response.status} ${response.headers['content-type'] ?? ''} ${truncate(response.body)}`,
  ].join('\n');
