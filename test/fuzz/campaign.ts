import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { type ContractDocument, readContract } from '../support/contract.ts';
import type { Endpoint } from '../support/endpoint.ts';
import { aRequest } from '../support/requests.ts';
import { differenceOf, namesForeignVideo } from './access.ts';
import { faultOf } from './judge.ts';
import { type FuzzRequest, requestsOf } from './requests.ts';
import { createSender, type RawAnswer, type RawRequest } from './send.ts';
import { createRequestWriter } from './write-request.ts';

export interface CampaignOptions {
  seed: number;
  requests: number;
  /** Texts that must be in no answer. */
  secrets: readonly string[];
  /** Requests at once. @default 8 */
  concurrency?: number;
}

export interface Report {
  requests: number;
  /** By operation and status: how many answers there were. */
  answers: Record<string, Record<string, number>>;
  /** Videos that were made on the way. */
  videos: number;
  /** Each answer that the contract does not allow, with the request that got it. */
  faults: string[];
}

/** More faults than these say nothing new. */
const MOST_FAULTS = 25;

/** Sends seeded requests, made from the running API's own contract, and holds every answer against it. */
export async function fuzz(
  api: Endpoint,
  { seed, requests: numRuns, secrets, concurrency = 8 }: CampaignOptions,
): Promise<Report> {
  const contract = readContract((await api.call('/openapi.json')).body as unknown as ContractDocument);
  const { own, other, marker } = await someVideos(api);
  const write = createRequestWriter(api, { own, other });
  const { send, close } = createSender(api.url, concurrency);
  const report: Report = { requests: 0, answers: {}, videos: 0, faults: [] };

  const ask = async (request: FuzzRequest, index: number): Promise<void> => {
    const { route, method, credentials } = request;
    const raw = await write(request);
    const answer = await send(raw);
    report.requests++;
    const name = route ? `${method} ${route.path}` : 'no operation';
    const statuses = report.answers[name] ?? {};
    report.answers[name] = { ...statuses, [answer.status]: (statuses[answer.status] ?? 0) + 1 };
    const made = credentials === 'own' && videoMadeBy(answer);
    if (made && !own.includes(made)) {
      own.push(made);
      report.videos++;
    }
    // What belongs to the other owner shows to nobody who lacks their key.
    const hasOtherKey = credentials === 'other' || credentials === 'twice';
    const hidden = hasOtherKey ? secrets : [...secrets, marker];
    const fault = faultOf(contract, request, answer, hidden) ?? (await foreignFault(request, answer));
    if (fault && report.faults.length < MOST_FAULTS) {
      report.faults.push(`SEED=${seed}, request ${index}: ${fault}\n${describeExchange(raw, answer)}`);
    }
  };

  /** Another owner's video is told from one that never was by nothing at all. */
  const foreignFault = async (request: FuzzRequest, answer: RawAnswer): Promise<string | undefined> => {
    if (!namesForeignVideo(request)) return undefined;
    const difference = differenceOf(answer, await send(await write({ ...request, id: { kind: 'never', index: 0 } })));
    return difference && `another owner's video is told from none by ${difference}`;
  };

  try {
    const queue = fc.sample(requestsOf(contract), { seed, numRuns }).entries();
    const connection = async () => {
      for (const [index, request] of queue) await ask(request, index);
    };
    await Promise.all(Array.from({ length: concurrency }, connection));
  } finally {
    close();
  }
  return report;
}

/** Videos in several states, and some of another owner's whose prompts nobody else may see. */
async function someVideos(api: Endpoint): Promise<{ own: string[]; other: string[]; marker: string }> {
  const marker = `seen-by-its-owner-alone-${randomUUID()}`;
  const submit = async (prompt: string, key = api.api_key): Promise<string> => {
    const { status, body } = await api.post('/videos', aRequest(prompt), { authorization: `Bearer ${key}` });
    if (status !== 202) throw new Error(`POST /videos answered ${status}: ${JSON.stringify(body)}`);
    return String(body.id);
  };
  const [made, failed, ...other] = await Promise.all([
    submit('A cat'),
    submit('[[fail=DataInspectionFailed]] A cat'),
    submit(marker, api.other_api_key),
    submit(marker, api.other_api_key),
    submit(`[[fail=DataInspectionFailed]] ${marker}`, api.other_api_key),
  ]);
  await Promise.all([api.finished(made), api.finished(failed)]);
  return { own: [made, failed], other, marker };
}

/** The id of a video that later requests can be about. */
const videoMadeBy = ({ status, body }: RawAnswer): string | undefined =>
  (status === 202
    ? /^\{"id":"([0-9a-f-]{36})"/.exec(body)
    : /"task_status":"PENDING","task_id":"([0-9a-f-]{36})"/.exec(body))?.[1];

const cut = (text: string): string => (text.length > 600 ? `${text.slice(0, 600)}… (${text.length})` : text);

const describeExchange = ({ method, target, headers, body = '' }: RawRequest, answer: RawAnswer): string =>
  [
    `${method} ${cut(target)}`,
    ...headers.map(([name, value]) => `${name}: ${cut(value)}`),
    cut(typeof body === 'string' ? body : `<${body.toString('hex')}>`),
    `→ ${answer.status} ${answer.headers['content-type'] ?? ''} ${cut(answer.body)}`,
  ].join('\n');
