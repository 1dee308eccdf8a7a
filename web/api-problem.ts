import type { Issue } from '../functions/shared/issues.ts';

/** An answer that is no success: RFC 9457's members, or what stands for them when no answer came (status 0). */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  /** Stable, snake_case; undefined where the answer had none. */
  readonly code: string | undefined;
  /** What is wrong and how to mend it. */
  readonly detail: string;
  readonly errors: readonly Issue[];
  /** Seconds. */
  readonly retryAfter: number | undefined;

  /** Whether the key is to blame. */
  get refusesKey(): boolean {
    return this.status === 401 || (this.status === 403 && this.code !== 'spending_limit_reached');
  }

  constructor(
    status: number,
    members: { title?: unknown; detail?: unknown; code?: unknown; errors?: unknown },
    retryAfter?: number,
  ) {
    const title = typeof members.title === 'string' ? members.title : `The server answered ${status}.`;
    super(title);
    this.status = status;
    this.code = typeof members.code === 'string' ? members.code : undefined;
    this.detail = typeof members.detail === 'string' ? members.detail : 'Try again.';
    this.errors = Array.isArray(members.errors) ? (members.errors as Issue[]) : [];
    this.retryAfter = retryAfter;
  }
}

/** A problem in one paragraph: title, detail, and when to try again. */
export function problemInWords({ message, detail, retryAfter }: ApiProblem): string {
  const again = retryAfter ? [`Try again in ${retryAfter} s.`] : [];
  return [message, ...sentencesForPeople(detail), ...again].join(' ');
}

/** Whoever has buttons needs no routes and no headers. */
const sentencesForPeople = (text: string): string[] =>
  text.split(/(?<=[.!?])\s+/).filter((sentence) => !/\b(GET|POST|DELETE) \/|Retry-After|If-Match/.test(sentence));
