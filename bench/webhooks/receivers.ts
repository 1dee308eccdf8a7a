import type { SendWebhook, WebhookAnswer } from '../../functions/events/webhook-request.ts';
import type { VirtualClock } from '../simulation/clock.ts';

/** The receivers, which are also the owners of the videos. */
export const receivers = ['live', 'slow', 'dead'] as const;
export type Receiver = (typeof receivers)[number];

export const LIVE_MILLISECONDS = 50;
export const SLOW_MILLISECONDS = 8000;
/** How long firstframe waits for an answer. */
export const TIMEOUT_MILLISECONDS = 10_000;

export const urlOf = (receiver: Receiver): string => `https://${receiver}.example.com/webhook`;

export interface Delay {
  published: number;
  /** Of the first successful attempt; undefined until then. */
  received?: number;
}

export type Receivers = ReturnType<typeof createReceivers>;

/** Creates the receivers. @param repairedAt when the dead one starts to answer like the live one */
export function createReceivers(clock: VirtualClock, repairedAt: number) {
  const events = Object.fromEntries(receivers.map((name) => [name, new Map<string, Delay>()])) as Record<
    Receiver,
    Map<string, Delay>
  >;
  const attempts = { live: 0, slow: 0, dead: 0 };
  const repeated = { live: 0, slow: 0, dead: 0 };
  let attemptsWhileDead = 0;
  let missing = 0;

  const answerOf = async (receiver: Receiver, timeout: number): Promise<Pick<WebhookAnswer, 'status' | 'error'>> => {
    const isDead = receiver === 'dead' && clock.now() < repairedAt;
    if (isDead) attemptsWhileDead += 1;
    const duration = isDead ? Number.POSITIVE_INFINITY : receiver === 'slow' ? SLOW_MILLISECONDS : LIVE_MILLISECONDS;
    await clock.sleep(Math.min(duration, timeout));
    return duration < timeout ? { status: 200 } : { error: 'The receiver did not answer.' };
  };

  return {
    publish(receiver: Receiver, id: string): void {
      events[receiver].set(id, { published: clock.now() });
      missing += 1;
    },
    /** Sends an event of a video. */
    async post(receiver: Receiver, id: string, timeout = TIMEOUT_MILLISECONDS): Promise<WebhookAnswer> {
      const began = clock.now();
      attempts[receiver] += 1;
      const answer = await answerOf(receiver, timeout);
      const event = events[receiver].get(id);
      if (answer.status && event) {
        if (event.received === undefined) {
          event.received = clock.now();
          missing -= 1;
        } else repeated[receiver] += 1;
      }
      return { ...answer, milliseconds: clock.now() - began };
    },
    events: events as Readonly<Record<Receiver, ReadonlyMap<string, Delay>>>,
    attempts: attempts as Readonly<Record<Receiver, number>>,
    /** Events that were received again. */
    repeated: repeated as Readonly<Record<Receiver, number>>,
    get attemptsWhileDead() {
      return attemptsWhileDead;
    },
    /** The number of events that were not received yet. */
    get missing() {
      return missing;
    },
  };
}

/** Sends webhooks to the receivers. */
export const senderTo =
  ({ post }: Receivers): SendWebhook =>
  async ({ url, body, timeout }) => {
    const receiver = receivers.find((each) => urlOf(each) === url);
    if (!receiver) throw new Error(`The simulation has no receiver ${url}.`);
    return post(receiver, (JSON.parse(body) as { data: { id: string } }).data.id, timeout);
  };
