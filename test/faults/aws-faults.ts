import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultInjection, ObservedInvocation } from '../../local/aws/fault-injection.ts';
import type { RequestHandler } from '../../local/aws/listen.ts';
import { type AwsCall, awsCallOf, refusalOf, type WaitingPlace, waitingOf } from './aws-call.ts';
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
/** A video's execution goes to sleep and is woken about once. */
const waitingCall = {
  error: 0.01,
  throttled: 0.01,
  outage: 0.025,
  late: 0.02,
  reset: 0.01,
  'lost answer': 0.03,
  twice: 0.03,
};
/** Where the watcher is killed: in each life of the process in some of these places, in turn. */
const watcherKills = [
  { place: 'token read', when: 'killed after', kind: 'Watcher killed after reading a token' },
  { place: 'wake', when: 'killed after', kind: 'Watcher killed after a wake' },
  { place: 'lease', when: 'killed before', kind: 'Watcher killed between ticks' },
] as const satisfies { place: WaitingPlace; when: CallFault; kind: string }[];
/** In each life, which events that would start a watcher are lost. */
const watcherAbsent = [1, 2];
/** What goes wrong with starting and ending watchers. */
export const watcherFaults = [
  ...watcherKills.map(({ kind }) => kind),
  'Watcher not started by an event',
  'Watcher not started by CreateTask',
  'Watcher started twice',
];
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
/** The state machine itself, which writes the tokens of executions. */
const waitForEnd = 'WaitForEnd';
const watcher = 'workflow-watch';

interface Caller {
  function_name: string;
  /** Which video it is about, by a name that is the same in every run of one seed. */
  subject: string;
  place: WaitingPlace | undefined;
}

export interface AwsFaults extends Required<FaultInjection> {
  /** Nothing goes wrong any more. */
  end(): void;
}

/** What goes wrong with calls to AWS and with events: decided by the seed and by what a call is, not by when it comes. */
export function createAwsFaults(plan: FaultPlan, log: FaultLog, subjects: Subjects): AwsFaults {
  const { seed, life } = plan;
  let ended = false;
  const workers = new Map<string, ObservedInvocation & { subject: string }>();
  const occurrenceOf = createOccurrences();
  const setbackOf = createOccurrences();
  /** Calls that fail however often the SDK tries, by their id. */
  const outages = new Set<string>();

  function callerOf(
    { url = '' }: IncomingMessage,
    call: AwsCall,
    body: Buffer,
    worker: { function_name: string; subject: string } | undefined,
  ): Caller {
    const waiting = waitingOf(call, body);
    if (!worker && waiting?.place !== 'token write')
      return { function_name: client, subject: url.split('?')[0]!, place: undefined };
    const function_name = worker?.function_name ?? waitForEnd;
    const subject = worker && function_name !== watcher ? worker.subject : subjects.nameOf(waiting?.id ?? '');
    return { function_name, subject, place: waiting?.place };
  }

  /** A kill of the watcher, or that CreateTask cannot start one: they come a few times in each life. */
  function watcherFaultOf(call: AwsCall, { function_name, place }: Caller): CallFault | undefined {
    if (function_name === watcher && place !== undefined) {
      const occurrence = occurrenceOf('watcher', place);
      for (let count = 0; count < plan.setbacks; count++) {
        const kill = watcherKills[(life * plan.setbacks + count) % watcherKills.length]!;
        const due = 2 + Math.floor(12 * dice(seed, life, 'watcher', count)) + 20 * count;
        if (kill.place !== place || occurrence !== due) continue;
        log.add(kill.kind, `life ${life}`, `#${occurrence}`);
        return kill.when;
      }
    }
    const isStart = function_name === 'workflow-create-task' && call.service === 'Lambda';
    if (!isStart || occurrenceOf('watcher', 'start') > 0) return undefined;
    log.add('Watcher not started by CreateTask', `life ${life}`);
    if (call.invocation_id !== undefined) outages.add(call.invocation_id);
    return 'outage';
  }

  function faultOf(call: AwsCall, caller: Caller): CallFault | undefined {
    const { service, action, invocation_id } = call;
    if (ended) return undefined;
    if (invocation_id !== undefined && outages.has(invocation_id)) return 'outage';
    const special = watcherFaultOf(call, caller);
    if (special) return special;
    const { function_name, subject, place } = caller;
    const occurrence = occurrenceOf(function_name, subject, service, action);
    const isWaiting = place === 'wake' || function_name === waitForEnd;
    const rates = isWaiting ? waitingCall : scaled(call.changes ? changingCall : anyCall, weights[service] ?? 1);
    const fault = choose<CallFault>(dice(seed, life, function_name, subject, service, action, occurrence), rates);
    if (!fault) return undefined;
    const isKill = fault === 'killed before' || fault === 'killed after';
    if (isKill && (function_name === client || function_name === watcher)) return undefined;
    if (setbacks.has(fault)) {
      if (function_name.startsWith('drops-') && (life > lastLifeToSpoilDrops || setbackOf('drop', subject) > 0))
        return undefined;
      if (setbackOf(subject || function_name) >= plan.setbacks) return undefined;
    }
    if (fault === 'outage' && invocation_id !== undefined) outages.add(invocation_id);
    const what = isWaiting ? (place === 'wake' ? 'SendTaskSuccess' : waitForEnd) : service;
    const kind = isKill ? `Lambda ${fault} ${service}` : `${what} ${fault}`;
    log.add(kind, `life ${life}`, function_name, subject, action, `#${occurrence}`);
    return fault;
  }

  return {
    wrapEndpoint: (serve) => async (request, response) => {
      const call = awsCallOf(request);
      const worker = workers.get(call.sandbox ?? '');
      // Whoever asked may be gone before all of it came.
      const body = await bodyOf(request).catch(() => undefined);
      if (!body) return;
      if (worker?.function_name === 'drops-drop' && call.action === 'PutItem') learn(subjects, worker.subject, body);
      const fault = faultOf(call, callerOf(request, call, body, worker));
      const received = { request, response, body, call, fault, kill: () => worker?.kill() };
      await carryOut(serve, received).catch(() => response.destroy());
    },
    onInvocation(invocation) {
      const function_name = invocation.function_name.replace(/^firstframe-/, '');
      workers.set(invocation.sandbox_id, { ...invocation, function_name, subject: subjects.of(invocation.payload) });
    },
    deliveryDelays(functionName, payload) {
      if (ended) return [0];
      const subject = subjects.of(payload);
      const names = [functionName.replace(/^firstframe-/, ''), subject] as const;
      const isWatcher = names[0] === watcher;
      const occurrence = occurrenceOf('delivery', ...names);
      if (isWatcher && watcherAbsent.includes(occurrence)) {
        log.add('Watcher not started by an event', `life ${life}`, `#${occurrence}`);
        return [];
      }
      const thrown = dice(seed, life, 'delivery', ...names, occurrence);
      const fault = choose<DeliveryFault>(thrown, isWatcher ? { 'delivered twice': 0.4 } : delivery);
      if (!fault) return [0];
      log.add(isWatcher ? 'Watcher started twice' : `Event ${fault}`, `life ${life}`, ...names, `#${occurrence}`);
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
