import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import type { TimelineEntry } from '../../functions/video/record.ts';
import { choose, createOccurrences, dice } from './dice.ts';
import type { FaultLog } from './fault-log.ts';
import { bodyOf } from './replay.ts';

/** Fault rates per request. */
const rates = {
  'answered 500': 0.04,
  'answered 503': 0.04,
  redirected: 0.02,
  reset: 0.03,
  'reset after processing': 0.03,
  slow: 0.04,
  hung: 0.015,
};
type ReceiverFault = keyof typeof rates;
/** All faults of the receiver, as named in the log. Each occurs at least once in a long run. */
export const receiverFaults: readonly string[] = [
  ...Object.keys(rates).map((kind) => `Receiver ${kind}`),
  'Receiver down',
];

/** A webhook that arrived. */
export interface Arrival {
  /** Milliseconds since 1970. */
  at: number;
  /** `/<owner>`, or `/<owner>/<index>` for the webhook of a request. */
  path: string;
  /** The header `webhook-id`. */
  message_id: string;
  body: string;
  /** Whether the library accepted the signature. */
  verified: boolean;
  /** The timeline in the record when the webhook arrived; undefined for a deleted video. */
  timeline: TimelineEntry[] | undefined;
  /** Whether the receiver answered 200. */
  acknowledged: boolean;
}

export interface ReceiverPlan {
  seed: number;
  /** How often the receiver is down, and for how long. */
  outages: number;
  outage_milliseconds: number;
  /** Number of the campaign's videos. */
  videos: number;
}

/** An HTTP server that gets webhooks. It sometimes fails. */
export interface Receiver {
  /** `http://127.0.0.1:<port>` */
  url: string;
  arrivals: readonly Arrival[];
  /** Requests that are no webhooks. */
  unexpected: readonly string[];
  /** Verifies an owner's webhooks with a new secret, in addition to the previous one. Refuses them while the secret is requested. */
  rotate(owner: string, request: () => Promise<string>): Promise<void>;
  /** Verifies with the newest secrets only. */
  forgetPrevious(): void;
  /** Stops injecting faults. */
  end(): void;
  close(): Promise<void>;
}

/** @param readTimeline rejects when the record cannot be read; the webhook is refused then and comes again */
export async function startReceiver(
  { seed, outages, outage_milliseconds, videos }: ReceiverPlan,
  log: FaultLog,
  readTimeline: (id: string) => Promise<TimelineEntry[] | undefined>,
): Promise<Receiver> {
  const arrivals: Arrival[] = [];
  const unexpected: string[] = [];
  const secrets = new Map<string, string[]>();
  const rotating = new Set<string>();
  const occurrenceOf = createOccurrences();
  const outagesAt = Array.from({ length: outages }, (_, count) =>
    Math.floor((videos * (count + dice(seed, 'receiver', 'outage', count))) / outages),
  );
  let requests = 0;
  let ended = false;
  let closed = false;

  const isVerified = (owner: string, body: string, headers: Record<string, string>): boolean =>
    (secrets.get(owner) ?? []).some((secret) => {
      try {
        new Webhook(secret).verify(body, headers);
        return true;
      } catch {
        return false;
      }
    });

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url: path = '', method } = request;
    const [, owner = ''] = path.split('/');
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const message_id = headers['webhook-id'] ?? '';
    const body = (await bodyOf(request)).toString('utf8');
    const answer = (status: number, other: Record<string, string> = {}) => response.writeHead(status, other).end();
    if (method !== 'POST' || !message_id) {
      unexpected.push(`${method} ${path}`);
      answer(405);
      return;
    }
    if (rotating.has(owner)) return void answer(503);
    const occurrence = occurrenceOf(path, message_id);
    const fault = ended ? undefined : choose<ReceiverFault>(dice(seed, 'receiver', message_id, occurrence), rates);
    if (fault) log.add(`Receiver ${fault}`, path, message_id, `#${occurrence}`);
    if (fault === 'reset') return void request.socket.destroy();
    const [, id = ''] = message_id.split('_');
    const timeline = await readTimeline(id).catch(() => 'unknown' as const);
    if (timeline === 'unknown') return void answer(503);
    const arrival = { at: Date.now(), path, message_id, body, verified: isVerified(owner, body, headers), timeline };
    const acknowledged = arrival.verified && (fault === undefined || fault === 'slow');
    arrivals.push({ ...arrival, acknowledged });
    switch (fault) {
      case 'answered 500':
        return void answer(500);
      case 'answered 503':
        return void answer(503, { 'retry-after': '1' });
      case 'redirected':
        return void answer(302, { location: `/redirected${path}` });
      case 'reset after processing':
        return void request.socket.destroy();
      case 'hung':
        return;
      case 'slow':
        await sleep(1500);
    }
    answer(arrival.verified ? 200 : 401);
  }

  const server = createServer((request, response) => {
    if (!ended && outagesAt.includes(requests++)) void goDown();
    receive(request, response).catch(() => response.destroy());
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stopListening = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const goDown = async () => {
    log.add('Receiver down', `${outage_milliseconds} ms`);
    await stopListening();
    await sleep(outage_milliseconds);
    if (!closed) await listen(port);
  };

  return {
    url: `http://127.0.0.1:${port}`,
    arrivals,
    unexpected,
    async rotate(owner, request) {
      rotating.add(owner);
      const secret = await request();
      secrets.set(owner, [secret, ...(secrets.get(owner) ?? [])]);
      rotating.delete(owner);
    },
    forgetPrevious() {
      for (const [owner, [newest]] of secrets) secrets.set(owner, [newest!]);
    },
    end() {
      ended = true;
    },
    async close() {
      closed = true;
      await stopListening();
    },
  };
}
