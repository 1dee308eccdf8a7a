import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultInjection, ObservedInvocation } from '../../local/aws/fault-injection.ts';
import type { RequestHandler } from '../../local/aws/listen.ts';
import { type AwsCall, awsCallOf, refusalOf, type WaitRole, waitRoleOf } from './aws-call.ts';
import { entriesOf, openBusLog, refuseLastEntry } from './bus-log.ts';
import { choose, createOccurrences, dice } from './dice.ts';
import type { FaultLog } from './fault-log.ts';
import type { CallFault, DeliveryFault, FaultPlan } from './fault-plan.ts';
import { isObserver } from './observer.ts';
import { bodyOf, discardedResponse, replay } from './replay.ts';
import type { Subjects } from './subject.ts';

/** Fault rates per call. A video takes about a hundred calls, a quarter of which change state. */
const anyCall = { error: 0.003, throttled: 0.003, outage: 0.0008, late: 0.006, reset: 0.002 };
const changingCall = { ...anyCall, 'lost response': 0.005, twice: 0.01, 'killed before': 0.005, 'killed after': 0.005 };
/** Factors for rarely called services. */
const weights: Partial<Record<AwsCall['service'], number>> = {
  S3: 2,
  'Step Functions': 6,
  SQS: 12,
  EventBridge: 3,
  'Secrets Manager': 15,
};
/** Rates for waiting: an execution waits and is woken about once per video. */
const waitingCall = {
  error: 0.01,
  throttled: 0.01,
  outage: 0.025,
  late: 0.02,
  reset: 0.01,
  'lost response': 0.03,
  twice: 0.03,
};
/** Where the watcher is killed: each life of the process uses some of these, in rotation. */
const watcherKills = [
  { place: 'token read', when: 'killed after', kind: 'Watcher killed after reading a token' },
  { place: 'wake', when: 'killed after', kind: 'Watcher killed after a wake' },
  { place: 'lease', when: 'killed before', kind: 'Watcher killed between ticks' },
] as const satisfies { place: WaitRole; when: CallFault; kind: string }[];
/** Which of the events that start a watcher are lost in each life. */
const watcherAbsent = [1, 2];
/** The faults that affect the start and end of watchers. */
export const watcherFaults = [
  ...watcherKills.map(({ kind }) => kind),
  'Watcher not started by an event',
  'Watcher not started by CreateTask',
  'Watcher started twice',
];
/** Rates of batches with one entry and with several; the latter occur only when an earlier call has failed. */
const partlyRefused = { one: 0.03, several: 0.25 };
const delivery = { 'delivered twice': 0.15, 'delivered late': 0.15 };

/** Faults that are overcome only by a later retry or the sweep. */
const setbacks: ReadonlySet<CallFault> = new Set(['outage', 'killed before', 'killed after']);
/**
 * A drop's event is retried after one and two minutes, a queued drop after 15 minutes or by the next process. So only the first life,
 * which another one always follows, may fail such an invocation.
 */
const lastLifeWithDropSetbacks = 0;

/** Clients other than Lambda functions: callers with their images, and Wan, which fetches images. */
const client = 'client';
/** The state machine, which writes task tokens. */
const waitForEnd = 'WaitForEnd';
const watcher = 'workflow-watch';
const deliver = 'webhooks-deliver';

interface Caller {
  function_name: string;
  /** The video, by a name that is the same in every run with the same seed. */
  subject: string;
  place: WaitRole | undefined;
}

export interface AwsFaults extends Required<Omit<FaultInjection, 'accountConcurrency' | 'onThrottle'>> {
  /** Stops injecting faults. */
  end(): void;
}

/**
 * Decides about faults of AWS calls and events: by the seed and the properties of a call, independent of its time. Records the events that
 * the bus accepts.
 * @param directory holds all state
 */
export function createAwsFaults(plan: FaultPlan, log: FaultLog, subjects: Subjects, directory: string): AwsFaults {
  const { seed, life } = plan;
  let ended = false;
  const workers = new Map<string, ObservedInvocation & { subject: string }>();
  const occurrenceOf = createOccurrences();
  const setbackOf = createOccurrences();
  /** Ids of calls that fail on every retry. */
  const outages = new Set<string>();
  const recordEvents = openBusLog(directory);

  function callerOf(
    { url = '' }: IncomingMessage,
    call: AwsCall,
    body: Buffer,
    worker: { function_name: string; subject: string } | undefined,
  ): Caller {
    const waiting = waitRoleOf(call, body);
    if (!worker && waiting?.place !== 'token write')
      return { function_name: client, subject: url.split('?')[0]!, place: undefined };
    const function_name = worker?.function_name ?? waitForEnd;
    const subject = worker && function_name !== watcher ? worker.subject : subjects.nameOf(waiting?.id ?? '');
    return { function_name, subject, place: waiting?.place };
  }

  /** Returns a kill of the watcher, or a failed start by CreateTask; each occurs a few times per life. */
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

  function faultOf(call: AwsCall, caller: Caller, entries: number): CallFault | undefined {
    const { service, action, invocation_id } = call;
    if (ended) return undefined;
    if (invocation_id !== undefined && outages.has(invocation_id)) return 'outage';
    const special = watcherFaultOf(call, caller);
    if (special) return special;
    const { function_name, subject, place } = caller;
    const occurrence = occurrenceOf(function_name, subject, service, action);
    const isWaiting = place === 'wake' || function_name === waitForEnd;
    const common = isWaiting ? waitingCall : scaled(call.changes ? changingCall : anyCall, weights[service] ?? 1);
    const refused = entries > 1 ? partlyRefused.several : partlyRefused.one;
    const rates = { ...common, ...(entries > 0 ? { 'partly refused': refused } : {}) };
    const fault = choose<CallFault>(dice(seed, life, function_name, subject, service, action, occurrence), rates);
    if (!fault) return undefined;
    const isKill = fault === 'killed before' || fault === 'killed after';
    if (isKill && (function_name === client || function_name === watcher)) return undefined;
    if (setbacks.has(fault)) {
      if (function_name.startsWith('drops-') && (life > lastLifeWithDropSetbacks || setbackOf('drop', subject) > 0))
        return undefined;
      if (setbackOf(subject || function_name) >= plan.setbacks) return undefined;
    }
    if (fault === 'outage' && invocation_id !== undefined) outages.add(invocation_id);
    const what = isWaiting ? (place === 'wake' ? 'SendTaskSuccess' : waitForEnd) : service;
    const killed = function_name === deliver ? 'deliver' : 'Lambda';
    const kind = isKill ? `${killed} ${fault} ${service}` : `${what} ${fault}`;
    log.add(kind, `life ${life}`, function_name, subject, action, `#${occurrence}`);
    return fault;
  }

  return {
    wrapEndpoint: (serve) => async (request, response) => {
      const call = awsCallOf(request);
      const worker = workers.get(call.sandbox ?? '');
      // The client may disconnect before the whole body has arrived.
      const body = await bodyOf(request).catch(() => undefined);
      if (!body) return;
      if (worker?.function_name === 'drops-drop' && call.action === 'PutItem') learn(subjects, worker.subject, body);
      const endpoint = `http://127.0.0.1:${request.socket.localPort}`;
      const fault = isObserver(request.headers['user-agent'])
        ? undefined
        : faultOf(call, callerOf(request, call, body, worker), entriesOf(call.action, body));
      const received = { request, response, body, call, endpoint, fault, kill: () => worker?.kill() };
      const recorded = call.action === 'PutEvents' ? recordEvents(serve, endpoint, body) : serve;
      await serveWithFault(recorded, received).catch(() => response.destroy());
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

/** Learns from a drop's record which video it became. */
function learn(subjects: Subjects, subject: string, body: Buffer): void {
  const { Item } = JSON.parse(body.toString('utf8')) as { Item?: { id?: { S?: string } } };
  if (Item?.id?.S) subjects.learn(Item.id.S, subject);
}

interface Received {
  request: IncomingMessage;
  response: ServerResponse;
  body: Buffer;
  call: AwsCall;
  endpoint: string;
  fault: CallFault | undefined;
  kill(): void;
}

async function serveWithFault(
  serve: RequestHandler,
  { request, response, body, call, endpoint, fault, kill }: Received,
): Promise<void> {
  const executeUnanswered = () => serve(replay(request, body), discardedResponse(request));
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
    case 'partly refused': {
      const answer = JSON.stringify(await refuseLastEntry(call.action, endpoint, body));
      response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'application/x-amz-json-1.1' });
      response.end(answer);
      return;
    }
    case 'reset':
      request.socket.destroy();
      return;
    case 'killed before':
      kill();
      request.socket.destroy();
      return;
    case 'killed after':
      await executeUnanswered();
      kill();
      request.socket.destroy();
      return;
    case 'lost response':
      await executeUnanswered();
      request.socket.destroy();
      return;
    case 'twice':
      await executeUnanswered();
      break;
    case 'late':
      await sleep(1000);
      break;
  }
  await serve(replay(request, body), response);
}
