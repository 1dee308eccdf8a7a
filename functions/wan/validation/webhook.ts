import * as z from 'zod';
import type { Issue, ValueIssue } from '../../shared/issues.ts';
import { checkPublicUrl, parseUrl } from './public-url.ts';

/** Which status changes a webhook gets: those to a terminal status, or all. */
export const webhookEvents = ['endings', 'all'] as const;
export type WebhookEvents = (typeof webhookEvents)[number];

/** The webhook that a request names; it replaces the owner's. */
export interface RequestedWebhook {
  url: string;
  events: WebhookEvents;
}

/** The URL of a webhook is stored with each video. */
const maxUrlLength = 2048;

const url = z
  .string({ error: 'Give an https URL.' })
  .meta({ pattern: '^https://', maxLength: maxUrlLength, examples: ['https://example.com/hooks/videos'] });
const eventsDescription =
  'Which status changes are sent: those to `succeeded`, `failed` or `canceled`, or all. Default `endings`.';
const events = z.enum(webhookEvents, { error: `Use ${webhookEvents.join(' or ')}.` });

/** The fields of a request for the webhook of its video. */
export const webhookFields = {
  webhook_url: url
    .meta({ description: 'An https URL that gets the events of this video, in place of the URL of `PUT /webhook`.' })
    .optional(),
  webhook_events: events.meta({ description: `${eventsDescription} Only with \`webhook_url\`.` }).optional(),
};

/** The body of `PUT /webhook`. */
export const subscriptionFields = {
  url: url.meta({ description: 'An https URL on the public internet.' }),
  events: events.meta({ description: eventsDescription }).optional(),
};

/**
 * Checks the webhook of a request.
 * @param loopback whether it may go to this computer
 */
export function checkWebhook(
  { webhook_url, webhook_events }: { webhook_url?: string | undefined; webhook_events?: WebhookEvents | undefined },
  loopback: boolean,
): { webhook?: RequestedWebhook; issues: Issue[] } {
  if (webhook_url === undefined) return { issues: webhook_events === undefined ? [] : [eventsWithoutUrl] };
  const checked = checkWebhookUrl(webhook_url, loopback);
  if (!checked.ok) return { issues: [{ pointer: '/webhook_url', code: checked.code, message: checked.message }] };
  return { webhook: { url: checked.url, events: webhook_events ?? 'endings' }, issues: [] };
}

const eventsWithoutUrl: Issue = {
  pointer: '/webhook_events',
  code: 'webhook_url_missing',
  message: 'Give "webhook_url" too, or leave this out: PUT /webhook decides which events your own webhook gets.',
};

/**
 * Checks the URL of a webhook: https, on the public internet.
 * @param loopback whether it may also name this computer, by http or https: for local development only
 */
export function checkWebhookUrl(text: string, loopback: boolean): ReturnType<typeof checkPublicUrl> {
  const checked = checkReceiverUrl(text, loopback);
  if (checked.ok) return checked.url.length > maxUrlLength ? refuse('url_too_long') : checked;
  return refuse(checked.code, checked.message);
}

/** Checks the URL of a receiver: https, on the public internet, or with `loopback` also http or https on this computer. */
export function checkReceiverUrl(text: string, loopback: boolean): ReturnType<typeof checkPublicUrl> {
  const url = parseUrl(text);
  const trustedOrigins = loopback && url && isLoopbackHost(url) ? [url.origin] : [];
  return checkPublicUrl(text, { trustedOrigins, schemes: ['https:'] });
}

/** Whether a URL names this computer in one of the two ways that local development uses. */
export const isLoopbackHost = ({ hostname }: URL): boolean => ['127.0.0.1', 'localhost'].includes(hostname);

/** Refuses a URL, in the words of webhooks where those of media do not fit. */
function refuse(code: string, message = ''): { ok: false } & ValueIssue {
  return { ok: false, code, message: messages[code] ?? message };
}

const messages: Readonly<Record<string, string>> = {
  url_too_long: `The URL of a webhook has at most ${maxUrlLength} characters, percent-encoded. Use a shorter one.`,
  private_url: 'The host of the webhook is not on the public internet. Use a public address.',
  credentials_in_url: 'The URL holds a user name or password. Verify the signature of each webhook instead.',
};
