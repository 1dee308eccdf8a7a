import type { Issue } from './issues.ts';

/** What a problem tells, beside its status and the request's id. */
export interface ProblemMembers {
  /** Stable, snake_case: what a program decides by. */
  code: string;
  title: string;
  /** What is wrong and how to mend it. */
  detail: string;
  errors?: readonly Issue[];
}

/** An answer that is an error: thrown anywhere below a handler, sent as RFC 9457 problem+json. */
export class ProblemError extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly members: ProblemMembers;
  readonly headers: Record<string, string>;

  constructor(status: number, members: ProblemMembers, headers: Record<string, string> = {}) {
    super(members.title);
    this.status = status;
    this.members = members;
    this.headers = headers;
  }
}

/** A 400 that names every issue at once: in `errors` for programs, in `detail` for people. */
export function issuesProblem(code: string, title: string, errors: readonly Issue[]): ProblemError {
  const detail = errors.map(({ pointer, message }) => `${pointer || 'The body'}: ${message}`).join(' ');
  return new ProblemError(400, { code, title, detail, errors });
}

/** The 400 for a request for a video. */
export const invalidRequest = (errors: readonly Issue[]): ProblemError =>
  issuesProblem('invalid_request', 'The request can not be taken as it is.', errors);
