import { describe, expect, test } from 'vitest';
import { createApi, type DeliveryView, type WebhookView } from '../../web/api.ts';
import { describeDelivery } from '../../web/deliveries.ts';
import { formatDateTime } from '../../web/formatting.ts';
import { describeWebhook, formatTest, secretQuestion } from '../../web/webhook-panel.ts';

const at = '2026-11-30T12:00:00.000Z';
const until = '2026-12-01T12:00:00.000Z';
const webhook: WebhookView = { host: 'example.com', events: 'endings', state: 'active', secret_version: 1 };

describe('the client', () => {
  const sent: string[] = [];
  const clientOf = (response: () => Response) =>
    createApi(
      new URL('https://api.example/v1/'),
      () => 'key',
      async (url, init) => {
        sent.push(`${init?.method ?? 'GET'} ${new URL(String(url)).pathname} ${init?.body ?? ''}`.trim());
        return response();
      },
    );
  const problem = (status: number, code: string) => clientOf(() => Response.json({ code }, { status }));

  test('sends the routes of webhooks', async () => {
    const api = clientOf(() => Response.json({ data: [] }));
    await api.setWebhook({ url: 'https://example.com/hook', events: 'all' });
    await api.testWebhook();
    await api.createWebhookSecret();
    await api.redeliver('x', 5);
    expect(await api.deliveries('x')).toEqual([]);
    await clientOf(() => new Response(null, { status: 204 })).removeWebhook();
    expect(sent).toEqual([
      'PUT /v1/webhook {"url":"https://example.com/hook","events":"all"}',
      'POST /v1/webhook/test',
      'POST /v1/webhook/secret',
      'POST /v1/videos/x/deliveries/5/redeliver',
      'GET /v1/videos/x/deliveries',
      'DELETE /v1/webhook',
    ]);
  });

  test('returns undefined without a webhook, and throws any other problem', async () => {
    expect(await clientOf(() => Response.json(webhook)).webhook()).toEqual(webhook);
    expect(await problem(404, 'webhook_not_found').webhook()).toBeUndefined();
    await expect(problem(404, 'route_not_found').webhook()).rejects.toMatchObject({ status: 404 });
    await expect(problem(404, 'webhook_not_found').testWebhook()).rejects.toMatchObject({ status: 404 });
  });
});

describe('the panel', () => {
  test('describes what the webhook gets', () => {
    expect(describeWebhook(undefined)).toContain('Set a URL');
    expect(describeWebhook(webhook)).toBe('Gets the ending of each of your videos.');
    expect(describeWebhook({ ...webhook, events: 'all' })).toBe('Gets every status change of each of your videos.');
    expect(describeWebhook({ ...webhook, previous_secret_valid_until: until })).toContain(
      `previous secret also signs until ${formatDateTime(until)}`,
    );
  });

  test('explains a webhook that its receiver ended', () => {
    const text = describeWebhook({ ...webhook, state: 'ended', ended_at: at });
    expect(text).toContain(`ended it on ${formatDateTime(at)} with status 410`);
    expect(text).toContain('Set the URL again');
  });

  test('warns before a rotation that stops the previous secret', () => {
    expect(secretQuestion(undefined)).toContain('For 24 hours events are also signed with the current one');
    expect(secretQuestion(webhook)).not.toContain('immediately');
    expect(secretQuestion({ previous_secret_valid_until: until })).toContain('stops signing immediately');
  });

  test('shows the answer to a test with its time', () => {
    const answer = { host: 'example.com', milliseconds: 87 };
    expect(formatTest({ ...answer, delivered: true, status: 204 })).toBe(
      'example.com accepted the test: status 204 in 87 ms.',
    );
    expect(formatTest({ ...answer, delivered: false, error: 'The receiver refused the connection.' })).toBe(
      'example.com did not accept the test: The receiver refused the connection (87 ms).',
    );
  });
});

describe('a delivery', () => {
  const delivery: DeliveryView = {
    sequence: 5,
    type: 'video.succeeded',
    host: 'example.com',
    state: 'delivered',
    attempts: 1,
    created_at: at,
    last_attempts: [{ at, status: 204, milliseconds: 87 }],
  };
  const failed = { at: until, status: 500, error: 'The receiver answered with status 500.', milliseconds: 12 };

  test.each<[string, Partial<DeliveryView>, string]>([
    ['delivered', {}, `1 attempt · ${formatDateTime(at)}: status 204 in 87 ms`],
    [
      'that is repeated, with its latest answer',
      { state: 'pending', attempts: 2, last_attempts: [...delivery.last_attempts, failed], next_at: until },
      `2 attempts · ${formatDateTime(until)}: The receiver answered with status 500 (12 ms) · next attempt by ${formatDateTime(until)}`,
    ],
    [
      'not tried yet',
      { state: 'pending', attempts: 0, last_attempts: [], next_at: at },
      `not tried · next attempt by ${formatDateTime(at)}`,
    ],
    [
      'requested again',
      { state: 'pending', attempts: 0, next_at: at },
      `is sent again · ${formatDateTime(at)}: status 204 in 87 ms · next attempt by ${formatDateTime(at)}`,
    ],
    [
      'dropped',
      { state: 'dropped', attempts: 0, last_attempts: [] },
      'not tried · a newer event was delivered before, or the webhook ended',
    ],
  ])('%s is described', (_, given, text) => {
    expect(describeDelivery({ ...delivery, ...given })).toBe(`example.com · ${text}`);
  });
});
