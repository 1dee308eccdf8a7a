import type { VideoView } from '../functions/api/video-view.ts';
import type { Violation } from '../functions/wan/violations.ts';

export type { VideoView } from '../functions/api/video-view.ts';

/** An answer that is no success: RFC 9457's members, or what stands for them when no answer came (status 0). */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  /** What is wrong and how to mend it. */
  readonly detail: string;
  readonly errors: readonly Violation[];
  /** Seconds. */
  readonly retryAfter: number | undefined;

  /** Whether the key is to blame. */
  get refusesKey(): boolean {
    return this.status === 401 || this.status === 403;
  }

  constructor(status: number, members: { title?: unknown; detail?: unknown; errors?: unknown }, retryAfter?: number) {
    const title = typeof members.title === 'string' ? members.title : `The server answered ${status}.`;
    super(title);
    this.status = status;
    this.detail = typeof members.detail === 'string' ? members.detail : 'Try again.';
    this.errors = Array.isArray(members.errors) ? (members.errors as Violation[]) : [];
    this.retryAfter = retryAfter;
  }
}

export interface SubmitBody {
  model: string;
  input: { prompt: string; img_url: string };
  parameters: { resolution: string; duration: number };
}

/** A video, and in how many seconds there may be news of it: undefined once it has ended. */
export interface Asked {
  video: VideoView;
  retryAfter: number | undefined;
}

export interface Api {
  list(cursor?: string): Promise<{ data: VideoView[]; next_cursor: string | null }>;
  get(id: string): Promise<Asked>;
  submit(body: SubmitBody, idempotencyKey: string): Promise<Asked>;
  /** A link to the archived video that needs no key, for some minutes. */
  content(id: string): Promise<{ url: string; expires_at: string }>;
}

/**
 * The API as the page uses it. Each call throws an `ApiProblem` for whatever is no success.
 * @param base the API's root, with a last slash
 * @param key asked at each call
 */
export function createApi(base: URL, key: () => string, send: typeof fetch = (...given) => fetch(...given)): Api {
  async function call<Body>(route: string, init: RequestInit = {}): Promise<{ body: Body; retryAfter?: number }> {
    const headers = { accept: 'application/json', authorization: `Bearer ${key()}`, ...init.headers };
    const response = await send(new URL(route, base), { ...init, headers }).catch(() => {
      throw new ApiProblem(0, noAnswer);
    });
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    const retryAfter = Number.isFinite(seconds) ? { retryAfter: seconds } : {};
    const body: unknown = await response.json().catch(() => ({}));
    if (!response.ok) throw new ApiProblem(response.status, body ?? {}, retryAfter.retryAfter);
    return { body: body as Body, ...retryAfter };
  }
  const asked = ({ body, retryAfter }: { body: VideoView; retryAfter?: number }): Asked => ({
    video: body,
    retryAfter,
  });

  return {
    list: async (cursor) => (await call<Awaited<ReturnType<Api['list']>>>(`videos${queryOf(cursor)}`)).body,
    get: async (id) => asked(await call(`videos/${encodeURIComponent(id)}`)),
    content: async (id) =>
      (await call<{ url: string; expires_at: string }>(`videos/${encodeURIComponent(id)}/content`)).body,
    submit: async (body, idempotencyKey) =>
      asked(
        await call('videos', {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
        }),
      ),
  };
}

const queryOf = (cursor: string | undefined): string => (cursor ? `?cursor=${encodeURIComponent(cursor)}` : '');

const noAnswer = {
  title: 'firstframe does not answer.',
  detail: 'Look whether you are online and the server is running, then try again: nothing is made or paid twice.',
};

/** Whether a text can travel as a key at all. */
export const isKey = (text: string): boolean => /^[\x21-\x7e]{1,512}$/.test(text);
