import type { Variant } from '../functions/api/videos/content.ts';
import type { Estimate } from '../functions/api/videos/derive.ts';
import type { OfferedModel } from '../functions/api/videos/models.ts';
import type { Usage } from '../functions/api/videos/usage.ts';
import type { DeliveryView, WebhookView } from '../functions/api/videos/webhook.ts';
import type { VideoView } from '../functions/video/view.ts';
import { ApiProblem } from './api-problem.ts';

export type { Variant } from '../functions/api/videos/content.ts';
export type { Usage } from '../functions/api/videos/usage.ts';
export type { DeliveryView, WebhookView } from '../functions/api/videos/webhook.ts';
export type { VideoView } from '../functions/video/view.ts';

export interface SubmitBody {
  model: string;
  input: { prompt: string; img_url: string; last_frame_url?: string };
  parameters: { resolution: string; duration: number };
}

/** A video as the API returned it, with the ETag of exactly this state where the response had one. */
export interface Snapshot {
  video: VideoView;
  etag: string | undefined;
}

export interface GetResult {
  /** Undefined when the state is the one that the caller knows (304). */
  snapshot: Snapshot | undefined;
  /** Seconds until another request is useful; undefined once the video has ended. */
  retryAfter: number | undefined;
}

export interface GetOptions {
  /** ETag of the known state. */
  etag?: string | undefined;
  /** Seconds for which the API may hold the response until the video's status changes. @default 0 */
  wait?: number;
  signal?: AbortSignal;
}

/** A URL that needs no key. */
export interface Link {
  url: string;
  /** Null for a URL that the caller supplied. */
  expires_at: string | null;
}

/** A signed upload form, and the URL that names the uploaded file afterwards. */
export interface UploadForm {
  upload_url: string;
  fields: Record<string, string>;
  media_url: string;
}

/** The answer of a webhook's receiver to a test event. */
export interface WebhookTest {
  host: string;
  delivered: boolean;
  status?: number;
  error?: string;
  milliseconds: number;
}

/** A new secret of the owner's webhooks. */
export interface WebhookSecret {
  secret: string;
  version: number;
  /** Until then the previous secret also signs. */
  previous_valid_until?: string;
}

/** How a video is made from another one; also the name of the route. */
export type DeriveKind = 'extend' | 'variations';

export interface Api {
  models(): Promise<OfferedModel[]>;
  /** The current month. */
  usage(): Promise<Usage>;
  list(cursor?: string): Promise<{ data: VideoView[]; next_cursor: string | null }>;
  get(id: string, options?: GetOptions): Promise<GetResult>;
  submit(body: SubmitBody, idempotencyKey: string): Promise<VideoView>;
  /** Prices a video that is made from another one. */
  estimateDerived(id: string, kind: DeriveKind, body: object): Promise<Estimate>;
  derive(id: string, kind: DeriveKind, body: object, idempotencyKey: string): Promise<VideoView[]>;
  cancel(id: string): Promise<VideoView>;
  /** @param etag the only state in which the video is retried; undefined for any */
  retry(id: string, etag: string | undefined): Promise<VideoView>;
  /** @param etag as for `retry` */
  remove(id: string, etag: string | undefined): Promise<void>;
  content(id: string, variant: Variant, signal?: AbortSignal): Promise<Link>;
  createUpload(file: { content_type: string; bytes: number }): Promise<UploadForm>;
  /** @returns undefined when the owner has none */
  webhook(): Promise<WebhookView | undefined>;
  /** The first response ever also has the secret. */
  setWebhook(webhook: { url: string; events: WebhookView['events'] }): Promise<WebhookView>;
  removeWebhook(): Promise<void>;
  testWebhook(): Promise<WebhookTest>;
  createWebhookSecret(): Promise<WebhookSecret>;
  deliveries(id: string): Promise<DeliveryView[]>;
  redeliver(id: string, sequence: number): Promise<DeliveryView>;
}

/** Longer than any response takes, a held one included (`wait`): a lost connection must not block a caller forever. */
const timeoutMilliseconds = 60_000;

interface ApiResponse<Body> {
  body: Body;
  headers: Headers;
  isUnchanged: boolean;
}

/**
 * Client of the API. Each call throws an `ApiProblem` for every response but success, and the signal's reason when aborted.
 * @param base root of the API, ending in a slash
 * @param key read at each call
 */
export function createApi(
  base: URL,
  key: () => string,
  request: typeof fetch = (...parameters) => fetch(...parameters),
): Api {
  async function call<Body>(route: string, { signal, ...init }: RequestInit = {}): Promise<ApiResponse<Body>> {
    const headers = { accept: 'application/json', authorization: `Bearer ${key()}`, ...init.headers };
    const timeout = AbortSignal.timeout(timeoutMilliseconds);
    const response = await request(new URL(route, base), {
      ...init,
      headers,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    }).catch(() => {
      signal?.throwIfAborted();
      throw new ApiProblem(0, noResponse);
    });
    const isUnchanged = response.status === 304;
    const body: unknown = await response.json().catch(() => ({}));
    if (!response.ok && !isUnchanged)
      throw new ApiProblem(response.status, body ?? {}, readRetryAfter(response.headers));
    return { body: body as Body, headers: response.headers, isUnchanged };
  }
  const send = <Body>(
    method: 'POST' | 'PUT',
    route: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<ApiResponse<Body>> =>
    call(route, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const post = <Body>(route: string, body?: unknown, headers?: Record<string, string>) =>
    send<Body>('POST', route, body, headers);

  return {
    models: async () => (await call<{ data: OfferedModel[] }>('models')).body.data,
    usage: async () => (await call<Usage>('usage')).body,
    list: async (cursor) => (await call<Awaited<ReturnType<Api['list']>>>(`videos${query({ cursor })}`)).body,
    async get(id, { etag, wait, signal } = {}) {
      const { body, headers, isUnchanged } = await call<VideoView>(`${videoRoute(id)}${query({ wait })}`, {
        headers: conditional('if-none-match', etag),
        ...(signal ? { signal } : {}),
      });
      const snapshot = isUnchanged ? undefined : { video: body, etag: headers.get('etag') ?? undefined };
      return { snapshot, retryAfter: readRetryAfter(headers) };
    },
    submit: async (body, idempotencyKey) =>
      (await post<VideoView>('videos', body, { 'idempotency-key': idempotencyKey })).body,
    estimateDerived: async (id, kind, body) =>
      (await post<Estimate>(`${videoRoute(id)}/${kind}`, { ...body, dry_run: true })).body,
    async derive(id, kind, sent, idempotencyKey) {
      const headers = { 'idempotency-key': idempotencyKey };
      const { body } = await post<VideoView | { data: VideoView[] }>(`${videoRoute(id)}/${kind}`, sent, headers);
      return 'data' in body ? body.data : [body];
    },
    cancel: async (id) => (await post<VideoView>(`${videoRoute(id)}/cancel`)).body,
    retry: async (id, etag) =>
      (await post<VideoView>(`${videoRoute(id)}/retry`, undefined, conditional('if-match', etag))).body,
    remove: async (id, etag) =>
      void (await call(videoRoute(id), { method: 'DELETE', headers: conditional('if-match', etag) })),
    content: async (id, variant, signal) =>
      (await call<Link>(`${videoRoute(id)}/content${query({ variant })}`, signal ? { signal } : {})).body,
    createUpload: async (file) => (await post<UploadForm>('uploads', file)).body,
    webhook: () =>
      call<WebhookView>('webhook').then(
        ({ body }) => body,
        (problem: ApiProblem) => {
          if (problem.code === 'webhook_not_found') return undefined;
          throw problem;
        },
      ),
    setWebhook: async (webhook) => (await send<WebhookView>('PUT', 'webhook', webhook)).body,
    removeWebhook: async () => void (await call('webhook', { method: 'DELETE' })),
    testWebhook: async () => (await post<WebhookTest>('webhook/test')).body,
    createWebhookSecret: async () => (await post<WebhookSecret>('webhook/secret')).body,
    deliveries: async (id) => (await call<{ data: DeliveryView[] }>(`${videoRoute(id)}/deliveries`)).body.data,
    redeliver: async (id, sequence) =>
      (await post<DeliveryView>(`${videoRoute(id)}/deliveries/${sequence}/redeliver`)).body,
  };
}

const videoRoute = (id: string): string => `videos/${encodeURIComponent(id)}`;

function query(parameters: Record<string, string | number | undefined>): string {
  const pairs = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return pairs.length === 0
    ? ''
    : `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value!)}`).join('&')}`;
}

const conditional = (header: string, etag: string | undefined): Record<string, string> =>
  etag === undefined ? {} : { [header]: etag };

function readRetryAfter(headers: Headers): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : undefined;
}

const noResponse = {
  title: 'firstframe does not respond.',
  detail: 'Check your connection and that the server is running, then try again: nothing is created or paid twice.',
};

/** Whether a text can be sent as a key: an API key, or the longer token of an identity provider. */
export const isKey = (text: string): boolean => /^[\x21-\x7e]{1,8192}$/.test(text);
