import type { Connection } from './connection.ts';
import { type Held, refusalOf, type Throttled, type Unavailable, unavailable } from './refusals.ts';

/** A call that can be made again at no cost was not answered: later, or after the operator has mended something. */
export type NoAnswer = Throttled | Unavailable | Held;

export type Answered = { outcome: 'answered'; status: number; body: unknown };

/**
 * A call that changes nothing, or that may be repeated. Everything but a 2xx
 * answer is a reason to ask again later; a refusal keeps Wan's code.
 */
export async function ask(connection: Connection, call: Parameters<Connection>[0]): Promise<Answered | NoAnswer> {
  const sent = await connection(call);
  if ('outcome' in sent) return sent;
  if (sent.kind !== 'answer') return unavailable(sent.cause);
  if (sent.status >= 200 && sent.status < 300) return { outcome: 'answered', status: sent.status, body: sent.body };
  const refusal = refusalOf(sent);
  if (!refusal) return unavailable(`http_${sent.status}`);
  if (refusal.outcome !== 'refused') return refusal;
  const { code, message, request_id } = refusal;
  return { ...unavailable('refused'), code, message, ...(request_id ? { request_id } : {}) };
}
