import type { Issue } from '../functions/shared/issues.ts';

/** Any response but success: the members of RFC 9457, or their replacements when no response arrived (status 0). */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  /** Stable, snake_case; undefined where the response had none. */
  readonly code: string | undefined;
  /** What is wrong and how to fix it. */
  readonly detail: string;
  readonly errors: readonly Issue[];
  /** Seconds. */
  readonly retryAfter: number | undefined;

  /** Whether the key was rejected. */
  get rejectsKey(): boolean {
    return this.status === 401 || (this.status === 403 && this.code !== 'spending_limit_reached');
  }

  constructor(
    status: number,
    members: { title?: unknown; detail?: unknown; code?: unknown; errors?: unknown },
    retryAfter?: number,
  ) {
    const title = typeof members.title === 'string' ? members.title : `The server responded with status ${status}.`;
    super(title);
    this.status = status;
    this.code = typeof members.code === 'string' ? members.code : undefined;
    this.detail = typeof members.detail === 'string' ? members.detail : 'Try again.';
    this.errors = Array.isArray(members.errors) ? (members.errors as Issue[]) : [];
    this.retryAfter = retryAfter;
  }
}

/** A problem as one paragraph: title, detail, and when to try again. */
export function formatProblem({ message, detail, retryAfter }: ApiProblem): string {
  const again = retryAfter ? [`Try again in ${retryAfter} s.`] : [];
  return [message, ...withoutRoutes(detail), ...again].join(' ');
}

/** The sentences without routes and headers: the page has buttons for those. */
const withoutRoutes = (text: string): string[] =>
  text.split(/(?<=[.!?])\s+/).filter((sentence) => !/\b(GET|POST|PUT|DELETE) \/|Retry-After|If-Match/.test(sentence));
