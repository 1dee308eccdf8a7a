import type { Issue } from './issues.ts';

/** The members of a problem except its status and request id. */
export interface ProblemMembers {
  /** Stable, snake_case; for programs. */
  code: string;
  title: string;
  /** What is wrong and how to fix it. */
  detail: string;
  errors?: readonly Issue[];
}

/** An error response: thrown below a handler and sent as RFC 9457 problem+json. */
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

/** Returns a 400 with all issues: in `errors` for programs, in `detail` for people. */
export function issuesProblem(code: string, title: string, errors: readonly Issue[]): ProblemError {
  const detail = errors.map(({ pointer, message }) => `${pointer || 'The body'}: ${message}`).join(' ');
  return new ProblemError(400, { code, title, detail, errors });
}

/** Returns the 400 for an invalid request for a video. */
export const invalidRequest = (errors: readonly Issue[]): ProblemError =>
  issuesProblem('invalid_request', 'The request is invalid.', errors);
