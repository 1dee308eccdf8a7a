import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Faults, FaultyInvocation } from '../../local/aws/faults.ts';
import type { RequestHandler } from '../../local/aws/listen.ts';
import { type AwsCall, awsCallOf, refusalOf } from './aws-call.ts';
import { choose, createOccurrences, dice } from './dice.ts';
import type { FaultLog } from './fault-log.ts';
import type { CallFault, DeliveryFault, FaultPlan } from './fault-plan.ts';
import { again, bodyOf, intoNothing } from './replay.ts';
import type { Subjects } from './subject.ts';

/** How often what happens to a call. A video's life takes about a hundred calls, a quarter of which change something. */
const anyCall = { error: 0.003, throttled: 0.003, outage: 0.0008, late: 0.006, reset: 0.002 };
const changingCall = { ...anyCall, 'lost answer': 0.005, twice: 0.01, 'killed before': 0.005, 'killed after': 0.005 };
/** Some services are called seldom. */
const weights: Partial<Record<AwsCall['service'], number>> = {
  S3: 2,
  'Step Functions': 6,
  SQS: 12,
  'Secrets Manager': 15,
};
const delivery = { 'delivered twice': 0.15, 'delivered late': 0.15 };

/** What only waiting gets over. */
const setbacks: ReadonlySet<CallFault> = new Set(['outage', 'killed before', 'killed after']);
/**
 * A drop's event is tried again after one minute and after two, a queued drop after 15 minutes or by the next process: only the
 * first life, which another one always follows, may spoil a try.
 */
const lastLifeToSpoilDrops = 0;

/** Whoever calls and is no Lambda: callers with their images, Wan that fetches one. */
const client = 'client';

export interface AwsFaults extends Required<Faults> {
  /** Nothing goes wrong any more. */
  end(): void;
}

/** What goes wrong with calls to AWS and with events: decided by the seed and by what a call is, not by when it comes. */
export function createAwsFaults(plan: FaultPlan, log: FaultLog, subjects: Subjects): AwsFaults {
  const { seed, life } = plan;
  let ended = false;
  const workers = new Map<string, FaultyInvocation & { subject: string }>();
  const occurrenceOf = createOccurrences();
  const setbackOf = createOccurrences();
  /** Calls that fail however often the SDK tries, by their id. */
  const outages = new Set<string>();

  function faultOf(call: AwsCall, caller: { function_name: string; subject: string }): CallFault | undefined {
    const { service, action, invocation_id } = call;
    if (ended) return undefined;
    if (invocation_id !== undefined && outages.has(invocation_id)) return 'outage';
    const { function_name, subject } = caller;
    const occurrence = occurrenceOf(function_name, subject, service, action);
    const rates = scaled(call.changes ? changingCall : anyCall, weights[service] ?? 1);
    const fault = choose<CallFault>(dice(seed, life, function_name, subject, service, action, occurrence), rates);
    if (!fault) return undefined;
    const isKill = fault === 'killed before' || fault === 'killed after';
    if (isKill && function_name === client) return undefined;
    if (setbacks.has(fault)) {
      if (function_name.startsWith('drops-') && (life > lastLifeToSpoilDrops || setbackOf('drop', subject) > 0))
        return undefined;
      if (setbackOf(subject || function_name) >= plan.setbacks) return undefined;
    }
    if (fault === 'outage' && invocation_id !== undefined) outages.add(invocation_id);
    const kind = isKill ? `Lambda ${fault} ${service}` : `${service} ${fault}`;
    log.add(kind, `life ${life}`, function_name, subject, action, `#${occurrence}`);
    return fault;
  }

  return {
    aroundEndpoint: (serve) => async (request, response) => {
      const call = awsCallOf(request);
      const worker = workers.get(call.sandbox ?? '');
      // Whoever asked may be gone before all of it came.
      const body = await bodyOf(request).catch(() => undefined);
      if (!body) return;
      if (worker?.function_name === 'drops-drop' && call.action === 'PutItem') learn(subjects, worker.subject, body);
      const caller = worker ?? { function_name: client, subject: request.url?.split('?')[0] ?? '' };
      const fault = faultOf(call, caller);
      const received = { request, response, body, call, fault, kill: () => worker?.kill() };
      await carryOut(serve, received).catch(() => response.destroy());
    },
    onInvocation(invocation) {
      const function_name = invocation.function_name.replace(/^firstframe-/, '');
      workers.set(invocation.sandbox, { ...invocation, function_name, subject: subjects.of(invocation.payload) });
    },
    deliveriesOf(functionName, payload) {
      if (ended) return [0];
      const subject = subjects.of(payload);
      const names = [functionName.replace(/^firstframe-/, ''), subject] as const;
      const occurrence = occurrenceOf('delivery', ...names);
      const thrown = dice(seed, life, 'delivery', ...names, occurrence);
      const fault = choose<DeliveryFault>(thrown, delivery);
      if (!fault) return [0];
      log.add(`Event ${fault}`, `life ${life}`, ...names, `#${occurrence}`);
      const delay = Math.round(3000 * dice(seed, life, 'delay', ...names, occurrence));
      return fault === 'delivered twice' ? [0, delay] : [delay];
    },
    end() {
      ended = true;
      outages.clear();
    },
  };
}

const scaled = <Rates extends Record<string, number>>(rates: Rates, by: number): Rates =>
  Object.fromEntries(Object.entries(rates).map(([name, rate]) => [name, rate * by])) as Rates;

/** The record of a drop tells which video it became. */
function learn(subjects: Subjects, subject: string, body: Buffer): void {
  const { Item } = JSON.parse(body.toString('utf8')) as { Item?: { id?: { S?: string } } };
  if (Item?.id?.S) subjects.learn(Item.id.S, subject);
}

interface Received {
  request: IncomingMessage;
  response: ServerResponse;
  body: Buffer;
  call: AwsCall;
  fault: CallFault | undefined;
  kill(): void;
}

async function carryOut(
  serve: RequestHandler,
  { request, response, body, call, fault, kill }: Received,
): Promise<void> {
  const unheard = () => serve(again(request, body), intoNothing(request));
  const refuse = (why: 'error' | 'throttled') => {
    const { status, headers, body } = refusalOf(call.service, why);
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  switch (fault) {
    case 'error':
    case 'outage':
      return refuse('error');
    case 'throttled':
      return refuse('throttled');
    case 'reset':
      request.socket.destroy();
      return;
    case 'killed before':
      kill();
      request.socket.destroy();
      return;
    case 'killed after':
      await unheard();
      kill();
      request.socket.destroy();
      return;
    case 'lost answer':
      await unheard();
      request.socket.destroy();
      return;
    case 'twice':
      await unheard();
      break;
    case 'late':
      await sleep(1000);
      break;
  }
  await serve(again(request, body), response);
}
