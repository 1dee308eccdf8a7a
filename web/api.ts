import type { Variant } from '../functions/api/videos/content.ts';
import type { OfferedModel } from '../functions/api/videos/models.ts';
import type { Usage } from '../functions/api/videos/usage.ts';
import type { VideoView } from '../functions/video/view.ts';
import { ApiProblem } from './api-problem.ts';

export type { Variant } from '../functions/api/videos/content.ts';
export type { Usage } from '../functions/api/videos/usage.ts';
export type { VideoView } from '../functions/video/view.ts';

export interface SubmitBody {
  model: string;
  input: { prompt: string; img_url: string };
  parameters: { resolution: string; duration: number };
}

/** A video as it was answered, with the ETag of exactly this state where the answer had one. */
export interface Seen {
  video: VideoView;
  etag: string | undefined;
}

/** What is new of a video: nothing, where the asker knew the state that it is in. */
export interface News {
  seen: Seen | undefined;
  /** In how many seconds there may be news; undefined once the video has ended. */
  retryAfter: number | undefined;
}

export interface Question {
  /** The state that is known. */
  etag?: string | undefined;
  /** How many seconds the answer may be kept back until the video's status changes. @default 0 */
  wait?: number;
  signal?: AbortSignal;
}

/** An address that needs no key. */
export interface Link {
  url: string;
  /** Null for an address of the caller's own. */
  expires_at: string | null;
}

/** Where a file may be sent, and what it is called from then on. */
export interface UploadForm {
  upload_url: string;
  fields: Record<string, string>;
  media_url: string;
}

export interface Api {
  models(): Promise<OfferedModel[]>;
  /** Of this month. */
  usage(): Promise<Usage>;
  list(cursor?: string): Promise<{ data: VideoView[]; next_cursor: string | null }>;
  get(id: string, question?: Question): Promise<News>;
  submit(body: SubmitBody, idempotencyKey: string): Promise<VideoView>;
  cancel(id: string): Promise<VideoView>;
  /** @param etag the state that it is done to, and to no other; undefined for any */
  retry(id: string, etag: string | undefined): Promise<VideoView>;
  /** @param etag as for `retry` */
  remove(id: string, etag: string | undefined): Promise<void>;
  content(id: string, variant: Variant, signal?: AbortSignal): Promise<Link>;
  createUpload(file: { content_type: string; bytes: number }): Promise<UploadForm>;
}

/** What an answer is waited for, beyond what it may be kept back on purpose: a lost connection must not hold a caller for ever. */
const patienceMilliseconds = 60_000;

interface Answer<Body> {
  body: Body;
  headers: Headers;
  isUnchanged: boolean;
}

/**
 * The API as the page uses it. Each call throws an `ApiProblem` for whatever is no success, and the reason of its signal when that
 * was aborted.
 * @param base the API's root, with a last slash
 * @param key asked at each call
 */
export function createApi(base: URL, key: () => string, send: typeof fetch = (...given) => fetch(...given)): Api {
  async function call<Body>(route: string, { signal, ...init }: RequestInit = {}): Promise<Answer<Body>> {
    const headers = { accept: 'application/json', authorization: `Bearer ${key()}`, ...init.headers };
    const patience = AbortSignal.timeout(patienceMilliseconds);
    const response = await send(new URL(route, base), {
      ...init,
      headers,
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    }).catch(() => {
      signal?.throwIfAborted();
      throw new ApiProblem(0, noAnswer);
    });
    const isUnchanged = response.status === 304;
    const body: unknown = await response.json().catch(() => ({}));
    if (!response.ok && !isUnchanged) throw new ApiProblem(response.status, body ?? {}, retryAfterOf(response.headers));
    return { body: body as Body, headers: response.headers, isUnchanged };
  }
  const post = <Body>(route: string, given?: unknown, headers: Record<string, string> = {}): Promise<Answer<Body>> =>
    call(route, {
      method: 'POST',
      headers: { ...(given === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(given === undefined ? {} : { body: JSON.stringify(given) }),
    });

  return {
    models: async () => (await call<{ data: OfferedModel[] }>('models')).body.data,
    usage: async () => (await call<Usage>('usage')).body,
    list: async (cursor) => (await call<Awaited<ReturnType<Api['list']>>>(`videos${queryOf({ cursor })}`)).body,
    async get(id, { etag, wait, signal } = {}) {
      const { body, headers, isUnchanged } = await call<VideoView>(`${routeOf(id)}${queryOf({ wait })}`, {
        headers: ifHeader('if-none-match', etag),
        ...(signal ? { signal } : {}),
      });
      const seen = isUnchanged ? undefined : { video: body, etag: headers.get('etag') ?? undefined };
      return { seen, retryAfter: retryAfterOf(headers) };
    },
    submit: async (body, idempotencyKey) =>
      (await post<VideoView>('videos', body, { 'idempotency-key': idempotencyKey })).body,
    cancel: async (id) => (await post<VideoView>(`${routeOf(id)}/cancel`)).body,
    retry: async (id, etag) =>
      (await post<VideoView>(`${routeOf(id)}/retry`, undefined, ifHeader('if-match', etag))).body,
    remove: async (id, etag) =>
      void (await call(routeOf(id), { method: 'DELETE', headers: ifHeader('if-match', etag) })),
    content: async (id, variant, signal) =>
      (await call<Link>(`${routeOf(id)}/content${queryOf({ variant })}`, signal ? { signal } : {})).body,
    createUpload: async (file) => (await post<UploadForm>('uploads', file)).body,
  };
}

const routeOf = (id: string): string => `videos/${encodeURIComponent(id)}`;

function queryOf(parameters: Record<string, string | number | undefined>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ''
    : `?${given.map(([name, value]) => `${name}=${encodeURIComponent(value!)}`).join('&')}`;
}

const ifHeader = (name: string, etag: string | undefined): Record<string, string> =>
  etag === undefined ? {} : { [name]: etag };

function retryAfterOf(headers: Headers): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : undefined;
}

const noAnswer = {
  title: 'firstframe does not answer.',
  detail: 'Look whether you are online and the server is running, then try again: nothing is made or paid twice.',
};

/** Whether a text can travel as a key at all: an API key, or a token of an identity provider, which is longer. */
export const isKey = (text: string): boolean => /^[\x21-\x7e]{1,8192}$/.test(text);
