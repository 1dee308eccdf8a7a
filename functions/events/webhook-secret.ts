import { createHmac } from 'node:crypto';
import type { Subscription } from './subscriptions.ts';

/** How long the previous version of a secret also signs after a rotation. */
const OVERLAP_MILLISECONDS = 24 * 3600 * 1000;

/** Returns until when the previous version of a secret also signs; undefined for the first version. ISO 8601 UTC. */
export const previousValidUntil = ({ rotated_at }: Pick<Subscription, 'rotated_at'>): string | undefined =>
  rotated_at && new Date(Date.parse(rotated_at) + OVERLAP_MILLISECONDS).toISOString();

/**
 * Returns an owner's secret in the form of Standard Webhooks. It is derived, so the table holds only the number of its version.
 * @param master the value of the deployment's secret
 * @throws Error when the deployment's secret is empty: anyone could sign then
 */
export function webhookSecret(master: string, owner: string, version: number): string {
  if (master === '') throw new Error("The secret that signs webhooks is empty. Restore the stack's secret.");
  return `whsec_${createHmac('sha256', master).update(`webhook#${owner}#${version}`).digest('base64')}`;
}

/** Returns the versions that sign now, the current one first: two for 24 hours after a rotation. @param now milliseconds since 1970 */
export function validVersions(
  item: Pick<Subscription, 'secret_version' | 'rotated_at'> | undefined,
  now: number,
): number[] {
  const { secret_version: version = 1, rotated_at } = item ?? {};
  const overlaps = version > 1 && rotated_at !== undefined && now < Date.parse(rotated_at) + OVERLAP_MILLISECONDS;
  return overlaps ? [version, version - 1] : [version];
}

/** Returns the headers of Standard Webhooks: the id of the message, its time, and one signature per valid version. */
export function signatureHeaders({
  master,
  owner,
  item,
  id,
  body,
  now,
}: {
  master: string;
  owner: string;
  item: Pick<Subscription, 'secret_version' | 'rotated_at'> | undefined;
  /** Equal for every attempt, so that receivers recognize repetitions. */
  id: string;
  body: string;
  /** Milliseconds since 1970. */
  now: number;
}): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = Math.floor(now / 1000);
  const sign = (version: number): string => {
    const key = Buffer.from(webhookSecret(master, owner, version).slice('whsec_'.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  };
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': validVersions(item, now).map(sign).join(' '),
  };
}
