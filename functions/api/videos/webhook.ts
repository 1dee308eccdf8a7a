import type { APIGatewayProxyResult } from 'aws-lambda';
import { testWebhook, type WebhookServices } from '../../events/deliver.ts';
import { type Delivery, listDeliveries, readDelivery, redeliver } from '../../events/deliveries.ts';
import {
  deleteSubscription,
  newSecretVersion,
  putSubscription,
  readSubscription,
  type Subscription,
  showFirstSecret,
} from '../../events/subscriptions.ts';
import { previousValidUntil, validVersions, webhookSecret } from '../../events/webhook-secret.ts';
import type { Caller } from '../../shared/caller.ts';
import { isJsonObject, readJson } from '../../shared/json-body.ts';
import { issuesProblem, ProblemError } from '../../shared/problem.ts';
import { readFields } from '../../wan/validation/body.ts';
import { checkWebhookUrl, subscriptionFields } from '../../wan/validation/webhook.ts';
import { type ApiRequest, json } from '../http/request.ts';
import { ownVideo } from './own-video.ts';

export interface WebhookRouteServices extends WebhookServices {
  enqueue: (delivery: Delivery) => Promise<void>;
}

/** An owner's webhook as the API shows it. The path of a URL may be a secret of the receiver, so it is not shown. */
export interface WebhookView {
  host: string;
  events: Subscription['events'];
  /** `ended`: the receiver answered 410. */
  state: 'active' | 'ended';
  ended_at?: string;
  secret_version: number;
  previous_secret_valid_until?: string;
  /** Only in the response that shows it. */
  secret?: string;
}

/** `/webhook`: the owner's webhook. @throws ProblemError 400, 404 */
export function ownWebhook(
  services: WebhookRouteServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  switch (request.httpMethod) {
    case 'PUT':
      return putWebhook(services, request, caller);
    case 'DELETE':
      return deleteWebhook(services, caller);
    default:
      return getWebhook(services, caller);
  }
}

async function getWebhook({ table }: WebhookRouteServices, { owner }: Caller): Promise<APIGatewayProxyResult> {
  const view = viewOfWebhook(await readSubscription(table, owner), table.now());
  if (!view) throw webhookNotFound();
  return json(200, view);
}

/** Subscribes the owner to events from now on. The first response ever also has the secret. */
async function putWebhook(
  { table, master, loopback }: WebhookRouteServices,
  request: ApiRequest,
  { owner }: Caller,
): Promise<APIGatewayProxyResult> {
  const wanted = readSubscriptionBody(readJson(request, 'a JSON object with "url"'), loopback);
  const subscription = await putSubscription(table, owner, wanted);
  // Made before it counts as shown, so that a request that is repeated after a failure shows it.
  const first = subscription.secret_version === undefined ? webhookSecret(await master(), owner, 1) : undefined;
  const secret = first && (await showFirstSecret(table, owner)) ? first : undefined;
  return json(200, { ...viewOfWebhook(subscription, table.now()), ...(secret ? { secret } : {}) });
}

async function deleteWebhook({ table }: WebhookRouteServices, { owner }: Caller): Promise<APIGatewayProxyResult> {
  await deleteSubscription(table, owner);
  return { statusCode: 204, headers: { 'cache-control': 'no-store' }, body: '' };
}

/** `POST /webhook/secret`: creates the next version of the owner's secret and shows it once. The previous one also signs for 24 hours. */
export async function createWebhookSecret(
  { table, master }: WebhookRouteServices,
  _request: ApiRequest,
  { owner }: Caller,
): Promise<APIGatewayProxyResult> {
  // Before the version is counted, so that a failure rotates nothing.
  const key = await master();
  const version = await newSecretVersion(table, owner);
  const subscription = await readSubscription(table, owner);
  const previous_valid_until = subscription && previousValidUntil(subscription);
  const secret = webhookSecret(key, owner, version);
  return json(201, { secret, version, ...(previous_valid_until ? { previous_valid_until } : {}) });
}

/** `POST /webhook/test`: sends an event of the type `webhook.test` and returns the receiver's answer. @throws ProblemError 404 */
export async function sendTestEvent(
  services: WebhookRouteServices,
  _request: ApiRequest,
  { owner }: Caller,
): Promise<APIGatewayProxyResult> {
  const subscription = await readSubscription(services.table, owner);
  const answer = subscription?.url === undefined ? undefined : await testWebhook(services, owner);
  if (!answer) throw webhookNotFound();
  return json(200, { host: new URL(subscription!.url!).host, delivered: answer.error === undefined, ...answer });
}

/** `GET /videos/{id}/deliveries`. @throws ProblemError 404 */
export async function getDeliveries(
  { table }: WebhookRouteServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const video = await ownVideo(table, request, caller);
  return json(200, { data: (await listDeliveries(table, video)).map(viewOfDelivery) });
}

/** `POST /videos/{id}/deliveries/{sequence}/redeliver`: 202, and the event is sent again. @throws ProblemError 404, 409 without a webhook */
export async function redeliverEvent(
  services: WebhookRouteServices,
  request: ApiRequest,
  caller: Caller,
): Promise<APIGatewayProxyResult> {
  const { table } = services;
  const { id } = await ownVideo(table, request, caller);
  const named = request.pathParameters?.sequence ?? '';
  const sequence = /^[1-9]\d{0,5}$/.test(named) ? Number(named) : undefined;
  const found = sequence === undefined ? undefined : await readDelivery(table, id, sequence);
  if (!found) throw deliveryNotFound();
  const subscription = found.url ? undefined : await readSubscription(table, caller.owner);
  if (!found.url && (!subscription?.url || subscription.ended_at)) throw noWebhook();
  const delivery = await redeliver(table, id, found.sequence);
  if (!delivery) throw deliveryNotFound();
  await services.enqueue(delivery);
  return json(202, viewOfDelivery(delivery));
}

/** @throws ProblemError 400 with all issues */
function readSubscriptionBody(body: unknown, loopback: boolean): Required<Pick<Subscription, 'url' | 'events'>> {
  const { values, issues } = isJsonObject(body)
    ? readFields(body, subscriptionFields, '', 'strict')
    : { values: {}, issues: [{ pointer: '', code: 'wrong_type', message: 'Give a JSON object with "url".' }] };
  const { url = '', events = 'endings' } = values;
  const checked = values.url === undefined ? undefined : checkWebhookUrl(url, loopback);
  if (checked && !checked.ok) issues.push({ pointer: '/url', code: checked.code, message: checked.message });
  if (!checked?.ok || issues.length > 0) {
    throw issuesProblem('invalid_request', 'The request for a webhook is invalid.', issues);
  }
  return { url: checked.url, events };
}

/** @returns undefined without a webhook, also if there is a secret */
function viewOfWebhook(subscription: Subscription | undefined, now: number): WebhookView | undefined {
  if (subscription?.url === undefined) return undefined;
  const { url, events, ended_at, secret_version = 1 } = subscription;
  const previous = validVersions(subscription, now).length > 1 ? previousValidUntil(subscription) : undefined;
  return {
    host: new URL(url).host,
    events,
    state: ended_at ? 'ended' : 'active',
    ...(ended_at ? { ended_at } : {}),
    secret_version,
    ...(previous ? { previous_secret_valid_until: previous } : {}),
  };
}

/** A delivery as the API shows it: without URL and body. */
export type DeliveryView = Pick<
  Delivery,
  'sequence' | 'type' | 'host' | 'state' | 'attempts' | 'created_at' | 'last_attempts'
> &
  Partial<Pick<Delivery, 'next_at' | 'deliver_until'>>;

function viewOfDelivery(delivery: Delivery): DeliveryView {
  const { sequence, type, host, state, attempts, created_at, next_at, deliver_until, last_attempts } = delivery;
  const coming = state === 'pending' ? { next_at, deliver_until } : {};
  return { sequence, type, host, state, attempts, created_at, ...coming, last_attempts };
}

const webhookNotFound = () =>
  new ProblemError(404, {
    code: 'webhook_not_found',
    title: 'You have no webhook.',
    detail: 'Set one with PUT /webhook. Webhooks of single requests are not listed here.',
  });

const deliveryNotFound = () =>
  new ProblemError(404, {
    code: 'delivery_not_found',
    title: 'There is no such delivery.',
    detail: 'GET /videos/{id}/deliveries lists the deliveries of a video, for 30 days.',
  });

const noWebhook = () =>
  new ProblemError(409, {
    code: 'no_webhook',
    title: 'There is no webhook to send the event to.',
    detail: 'It was deleted, or its receiver ended it with 410. Set it with PUT /webhook, then send the request again.',
  });
