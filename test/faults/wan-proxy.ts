import { createHash } from 'node:crypto';
import { Agent, createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { choose, createOccurrences, dice } from './dice.ts';
import type { FaultLog } from './fault-log.ts';
import type { DownloadFault, ListFault, SubmitFault, WanFault } from './fault-plan.ts';
import { bodyOf } from './replay.ts';

/** Fault rates per call. */
const anyCall = {
  'answered 429': 0.006,
  'answered 500': 0.006,
  'answered 503': 0.006,
  'reset before': 0.006,
  late: 0.02,
};
/** Higher rates for submissions and downloads, which occur only once per video. */
const rareCall = {
  'answered 429': 0.02,
  'answered 500': 0.02,
  'answered 503': 0.02,
  'reset before': 0.02,
  late: 0.02,
};
const rates = {
  submit: { ...rareCall, 'reset after': 0.04 },
  download: { ...rareCall, 'cut off': 0.02, 'too short': 0.02, slow: 0.02, expired: 0.02 },
  // Throttling stops the watcher for up to a minute.
  query: { ...anyCall, 'answered 429': 0.003 },
  list: {
    ...{ 'answered 429': 0.01, 'answered 500': 0.02, 'answered 503': 0.02, 'reset before': 0.02, late: 0.02 },
    ...{ 'without some rows': 0.06, outdated: 0.06, 'with shifted rows': 0.06 },
  },
  other: anyCall,
};
type Fault = SubmitFault | DownloadFault | WanFault | ListFault;
/** All faults of the proxy, as named in the log. Each occurs at least once in a long run. */
export const wanFaults: readonly string[] = (['submit', 'download', 'query', 'list'] as const).flatMap((place) =>
  Object.keys(rates[place]).map((kind) => `Wan ${place} ${kind}`),
);

export interface WanProxy {
  /** Ends in `/api/v1`. */
  url: string;
  /** Task id → SHA-256 (hex) of the video that Wan served. */
  served: ReadonlyMap<string, string>;
  /** Sets the emulator's URL. @param url ends in `/api/v1` */
  setTarget(url: string): void;
  /** Stops injecting faults. */
  end(): void;
  close(): Promise<void>;
}

interface Call {
  place: keyof typeof rates;
  /** The video, by a name that is the same in every run with the same seed. */
  subject: string;
}

/**
 * Starts a proxy in front of the emulator. The seed and the properties of a call decide about faults. The proxy replaces the
 * emulator's URLs in responses by its own.
 */
export async function startWanProxy(plan: { seed: number; setbacks: number }, log: FaultLog): Promise<WanProxy> {
  const agent = new Agent({ keepAlive: true });
  const subjectOfTask = new Map<string, string>();
  const served = new Map<string, string>();
  const occurrenceOf = createOccurrences();
  const setbackOf = createOccurrences();
  /** The rows of the previous response per list. */
  const lastRows = new Map<string, unknown[]>();
  let emulator = '';
  let ended = false;

  /** Classifies a request. A submission's seed is the number of its video. */
  function callOf({ url = '', method }: IncomingMessage, body: Buffer): Call {
    const path = url.split('?')[0]!;
    if (path.endsWith('/video-synthesis')) {
      const { parameters } = JSON.parse(body.toString('utf8')) as { parameters?: { seed?: number } };
      return { place: 'submit', subject: String(parameters?.seed) };
    }
    const id = /([0-9a-f-]{36})(?:\.mp4|\/cancel)?$/.exec(path)?.[1] ?? '';
    const subject = subjectOfTask.get(id) ?? path;
    if (method === 'GET' && path.endsWith('.mp4')) return { place: 'download', subject };
    if (method === 'GET' && id !== '' && path.endsWith(`/tasks/${id}`)) return { place: 'query', subject };
    // The watcher lists one status; the search for a lost task lists all.
    const { searchParams } = new URL(url, 'http://wan');
    const [model, status] = [searchParams.get('model_name'), searchParams.get('status')];
    return status === null ? { place: 'other', subject } : { place: 'list', subject: `${model} ${status}` };
  }

  function faultOf({ place, subject }: Call): Fault | undefined {
    if (ended) return undefined;
    const occurrence = occurrenceOf(place, subject);
    const fault = choose(dice(plan.seed, 'Wan', place, subject, occurrence), rates[place]) as Fault | undefined;
    if (!fault) return undefined;
    const isSetback = place !== 'list' && fault !== 'late' && fault !== 'slow';
    if (isSetback && setbackOf(subject) >= plan.setbacks) return undefined;
    log.add(`Wan ${place} ${fault}`, subject, `#${occurrence}`);
    return fault;
  }

  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const call = callOf(request, body);
    const fault = faultOf(call);
    if (fault === 'reset before') return request.socket.resetAndDestroy();
    if (fault && fault in refusals) return refuse(response, fault);
    if (fault === 'late') await sleep(1200);
    const answer = await forward(new URL(request.url ?? '/', emulator), request, body, agent).catch(() => undefined);
    if (!answer) return request.socket.resetAndDestroy();
    if (call.place === 'submit') {
      const { output } = JSON.parse(answer.body.toString('utf8')) as { output?: { task_id?: string } };
      if (output?.task_id) subjectOfTask.set(output.task_id, call.subject);
      if (fault === 'reset after') return request.socket.resetAndDestroy();
    }
    if (call.place === 'download' && answer.status === 200) {
      const taskId = /([^/]+)\.mp4/.exec(request.url ?? '')![1]!;
      served.set(taskId, createHash('sha256').update(answer.body).digest('hex'));
    }
    if (call.place === 'list' && answer.status === 200) answer.body = distortList(answer.body, call.subject, fault);
    await deliver(response, answer, fault);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  /** Applies a fault to a list: omits or shifts rows, or returns the previous ones. */
  function distortList(body: Buffer, subject: string, fault: Fault | undefined): Buffer {
    const list = JSON.parse(body.toString('utf8')) as { data?: unknown[] };
    const rows = list.data ?? [];
    const before = lastRows.get(subject) ?? [];
    lastRows.set(subject, rows);
    if (fault === 'without some rows') list.data = rows.filter((_, index) => index % 2 === 1);
    if (fault === 'outdated') list.data = before;
    if (fault === 'with shifted rows') list.data = [...rows.slice(0, 1), ...rows.slice(0, -1)];
    return Buffer.from(JSON.stringify(list));
  }

  async function deliver(response: ServerResponse, { status, headers, body }: Answer, fault: Fault | undefined) {
    const isJson = String(headers['content-type']).includes('json');
    const whole = isJson ? Buffer.from(body.toString('utf8').replaceAll(emulator, origin)) : body;
    const half = whole.subarray(0, Math.floor(whole.length / 2));
    response.writeHead(status, { ...headers, 'content-length': fault === 'too short' ? half.length : whole.length });
    switch (fault) {
      case 'too short':
        return response.end(half);
      case 'cut off':
        return response.write(half, () => response.destroy());
      case 'slow':
        for (let part = 0; part < 8; part++) {
          response.write(
            whole.subarray(Math.floor((whole.length * part) / 8), Math.floor((whole.length * (part + 1)) / 8)),
          );
          await sleep(200);
        }
        return response.end();
      default:
        return response.end(response.req.method === 'HEAD' ? undefined : whole);
    }
  }

  return {
    url: `${origin}/api/v1`,
    served,
    setTarget(url) {
      emulator = new URL(url).origin;
    },
    end() {
      ended = true;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

const forward = (url: URL, { method, headers }: IncomingMessage, body: Buffer, agent: Agent) =>
  new Promise<Answer>((resolve, reject) => {
    const request = send(url, { method, headers: { ...headers, host: url.host }, agent }, (response) => {
      bodyOf(response).then((body) => {
        const { connection, 'transfer-encoding': _encoding, ...headers } = response.headers;
        resolve({ status: response.statusCode ?? 502, headers, body });
      }, reject);
    });
    request.on('error', reject);
    request.end(body);
  });

const refusals: Partial<Record<Fault, { status: number; code: string }>> = {
  'answered 429': { status: 429, code: 'Throttling.RateQuota' },
  'answered 500': { status: 500, code: 'InternalError' },
  'answered 503': { status: 503, code: 'ServiceUnavailable' },
  expired: { status: 403, code: 'AccessDenied' },
};

function refuse(response: ServerResponse, fault: Fault): void {
  const { status, code } = refusals[fault]!;
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>Request has expired.</Message></Error>`;
  const body = fault === 'expired' ? xml : JSON.stringify({ code, message: 'Injected fault.', request_id: 'injected' });
  response.writeHead(status, { 'content-type': fault === 'expired' ? 'application/xml' : 'application/json' });
  response.end(body);
}
