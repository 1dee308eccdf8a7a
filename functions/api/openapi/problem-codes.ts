import { explainEnding, failureCodes } from '../../wan/failures.ts';

interface ProblemCode {
  readonly status: number;
  readonly means: string;
  readonly mend: string;
  /** The answer says when to ask again. */
  readonly retry_after?: true;
}

const again = 'Send the request again after the seconds in `Retry-After`.';

/** Every `code` of a problem, its status, what it means and how to mend it. */
const table = {
  invalid_json: {
    status: 400,
    means: 'The body is no JSON, or is nested more than 32 deep.',
    mend: '`detail` says where it breaks.',
  },
  invalid_request: {
    status: 400,
    means: 'The body has values that can not be taken.',
    mend: '`errors` names all of them at once, each with a pointer to its place.',
  },
  invalid_query: {
    status: 400,
    means: 'A parameter of the query is unknown, repeated or has a wrong value.',
    mend: '`errors` names all of them.',
  },
  invalid_idempotency_key: {
    status: 400,
    means: 'The `Idempotency-Key` is not 1 to 255 visible ASCII characters without spaces, or was sent twice.',
    mend: 'Send it once; a UUID will do.',
  },
  unauthorized: {
    status: 401,
    means: 'Who is calling is not known.',
    mend: 'Send your key in the header `Authorization: Bearer KEY`.',
  },
  spending_limit_reached: {
    status: 403,
    means: 'The video would cost more than is left of your limit for this month. Nothing was made.',
    mend: '`GET /usage` shows how it stands. Wait for the next month (UTC), make a cheaper video, or have the limit raised.',
  },
  video_not_found: {
    status: 404,
    means: "There is no such video: it never was, was deleted, or is somebody else's.",
    mend: '`GET /videos` lists yours.',
  },
  idempotency_conflict: {
    status: 409,
    means: 'This `Idempotency-Key` was used with another body.',
    mend: 'Repeat the first request exactly to get its video, or use a new key for a new one.',
  },
  video_not_ready: {
    status: 409,
    means: 'There is nothing to fetch yet.',
    mend: again,
    retry_after: true,
  },
  video_has_no_content: {
    status: 409,
    means: 'The video failed or was canceled: there never will be anything to fetch.',
    mend: 'Its `error` says why, and whether `POST /videos/{id}/retry` may help.',
  },
  video_is_starting: {
    status: 409,
    means: 'The video is being handed to Wan right now; in a moment it is known whether Wan took it.',
    mend: again,
    retry_after: true,
  },
  video_is_running: {
    status: 409,
    means: 'Wan is making the video. It will be billed when it is done, whatever anybody wants by then.',
    mend: 'Wait until it has ended: `GET /videos/{id}?wait=25`.',
    retry_after: true,
  },
  video_is_archiving: {
    status: 409,
    means: 'Wan has made the video and has billed it; it is being copied.',
    mend: again,
    retry_after: true,
  },
  video_has_ended: {
    status: 409,
    means: 'The video has succeeded or failed, so there is nothing to cancel.',
    mend: '`DELETE /videos/{id}` removes it.',
  },
  video_has_succeeded: {
    status: 409,
    means: 'The video has succeeded, so there is nothing to try again.',
    mend: '`GET /videos/{id}/content` fetches it; `POST /videos` makes another one.',
  },
  video_not_retryable: {
    status: 409,
    means: 'The record lacks what Wan would have to be asked, as that of a drop whose settings were refused.',
    mend: 'Submit it anew with `POST /videos`.',
  },
  video_deleted: {
    status: 410,
    means: 'This `Idempotency-Key` made a video that was deleted since. Nothing was made anew.',
    mend: 'Use a new key for a new video.',
  },
  precondition_failed: {
    status: 412,
    means: 'The video is no longer as the ETag in `If-Match` says. Nothing was done.',
    mend: 'Look at it again, then decide.',
  },
  image_too_large: {
    status: 413,
    means: 'The inline picture has more than 4 MiB.',
    mend: 'Upload it with `POST /uploads` and give its `media_url` as `img_url`.',
  },
  internal_error: {
    status: 500,
    means: 'Something went wrong on our side.',
    mend: 'Try again, with the same `Idempotency-Key` if there was one; if it happens again, report it with the `request_id`.',
  },
  wan_unavailable: {
    status: 503,
    means: 'What to do depends on what Wan says, and Wan does not answer at present.',
    mend: again,
    retry_after: true,
  },
} as const satisfies Record<string, ProblemCode>;

export type Code = keyof typeof table;
export const problemCodes: Readonly<Record<Code, ProblemCode>> = table;
export const codeNames = Object.keys(table) as readonly Code[];

/** A list of codes in words (Markdown). */
export const explainCodes = (codes: readonly Code[]): string =>
  codes.map((code) => `- \`${code}\`: ${problemCodes[code].means} ${problemCodes[code].mend}`).join('\n');

/** A table in Markdown. */
const markdownTable = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** The endings of a video, from the very rows that explain them: in the contract, and in the README. */
export const endingsTable: string = markdownTable(
  ['code', 'retryable', 'billed', 'what it means'],
  failureCodes
    .map((code) => explainEnding(code))
    .map(({ code, message, retryable, billed, hint }) => [
      `\`${code}\``,
      retryable ? 'yes' : 'no',
      billed ? 'yes, or perhaps' : 'no',
      `${message} ${hint}`,
    ]),
);

/** What a request may be answered with instead of what it asked for, from the rows of the contract. */
export const problemsTable: string = markdownTable(
  ['code', 'status', 'what it means'],
  codeNames.map((code) => {
    const { status, means, mend } = problemCodes[code];
    return [`\`${code}\``, status, `${means} ${mend}`];
  }),
);
