import { explainEnding, failureCodes } from '../../wan/failures.ts';

interface ProblemCode {
  readonly status: number;
  readonly meaning: string;
  readonly fix: string;
  /** The response has `Retry-After`. */
  readonly retry_after?: true;
  /** Sent before a request reaches the handler of its route. */
  readonly gateway?: true;
}

const again = 'Repeat the request after the seconds in `Retry-After`.';

/** Every `code` of a problem: its status, its meaning, and how to fix it. */
const table = {
  bad_request: {
    status: 400,
    meaning: 'The request is malformed, so the gateway could not read it.',
    fix: 'Check the method, the path, the query and the headers.',
    gateway: true,
  },
  invalid_json: {
    status: 400,
    meaning: 'The body is not UTF-8 or not valid JSON, or is nested more than 32 levels deep.',
    fix: 'Correct the position that `detail` names.',
  },
  invalid_request: {
    status: 400,
    meaning: 'The body has invalid values.',
    fix: '`errors` lists all of them, each with a pointer and how to fix it.',
  },
  invalid_query: {
    status: 400,
    meaning: 'A query parameter is unknown, repeated or has an invalid value.',
    fix: '`errors` lists all of them.',
  },
  invalid_idempotency_key: {
    status: 400,
    meaning: 'The `Idempotency-Key` is not 1 to 255 visible ASCII characters without spaces, or was sent twice.',
    fix: 'Send it once, for example a UUID.',
  },
  unauthorized: {
    status: 401,
    meaning: 'The request has no valid credential.',
    fix: 'Send your key in the header `Authorization: Bearer KEY`.',
  },
  access_denied: {
    status: 403,
    meaning: 'The credential does not permit this request.',
    fix: 'Use another one, or ask the operator for the missing permission.',
    gateway: true,
  },
  spending_limit_reached: {
    status: 403,
    meaning: 'The video would cost more than is left of your limit for this month. Nothing was created.',
    fix: '`GET /usage` shows what is left. Wait for the next month (UTC), choose a cheaper video, or have the limit raised.',
  },
  route_not_found: {
    status: 404,
    meaning: 'There is no such route.',
    fix: 'Check the path, which is case-sensitive, and the method.',
    gateway: true,
  },
  video_not_found: {
    status: 404,
    meaning: 'There is no such video: the id is wrong, the video was deleted, or it belongs to another owner.',
    fix: '`GET /videos` lists your videos.',
  },
  webhook_not_found: {
    status: 404,
    meaning: 'You have no webhook.',
    fix: 'Set one with `PUT /webhook`.',
  },
  delivery_not_found: {
    status: 404,
    meaning: 'No webhook gets this event of the video, or the delivery is older than 30 days.',
    fix: '`GET /videos/{id}/deliveries` lists the deliveries.',
  },
  method_not_allowed: {
    status: 405,
    meaning: 'The route does not take this method.',
    fix: 'Use one that the header `Allow` names.',
    gateway: true,
  },
  model_not_found: {
    status: 404,
    meaning: 'This deployment does not offer the model, or has retired it.',
    fix: '`GET /models` lists the offered models.',
  },
  idempotency_conflict: {
    status: 409,
    meaning: 'This `Idempotency-Key` was used with another body.',
    fix: 'Repeat the first request exactly to get its video, or use a new key for a new video.',
  },
  no_webhook: {
    status: 409,
    meaning: 'The webhook that got the event was deleted, or its receiver ended it with 410.',
    fix: 'Set it with `PUT /webhook`, then send the request again.',
  },
  video_not_ready: {
    status: 409,
    meaning: 'The video is not ready yet.',
    fix: again,
    retry_after: true,
  },
  video_has_no_content: {
    status: 409,
    meaning: 'The video failed or was canceled, so there is no file.',
    fix: 'See the reason and `retryable` in its `error`. If that is true, use `POST /videos/{id}/retry`.',
  },
  video_is_starting: {
    status: 409,
    meaning: 'The video is being submitted to Wan.',
    fix: again,
    retry_after: true,
  },
  video_is_running: {
    status: 409,
    meaning: 'Wan is generating the video. It will be billed when it is done.',
    fix: 'Wait for its end: `GET /videos/{id}?wait=25`.',
    retry_after: true,
  },
  video_is_archiving: {
    status: 409,
    meaning: 'Wan has generated and billed the video, and it is being archived.',
    fix: again,
    retry_after: true,
  },
  video_has_ended: {
    status: 409,
    meaning: 'The video has succeeded or failed, so there is nothing to cancel.',
    fix: '`DELETE /videos/{id}` removes it.',
  },
  video_has_succeeded: {
    status: 409,
    meaning: 'The video has succeeded, so there is nothing to retry.',
    fix: 'Fetch it with `GET /videos/{id}/content`, or create another one with `POST /videos`.',
  },
  video_not_retryable: {
    status: 409,
    meaning: 'The record lacks the request that Wan needs, as for a drop whose settings were refused.',
    fix: 'Fix the request and send it with `POST /videos`, or drop the image again.',
  },
  source_has_no_video: {
    status: 409,
    meaning: 'The video to extend has not succeeded.',
    fix: 'Wait for its end with `GET /videos/{id}?wait=25`, or make a variation of its inputs.',
  },
  source_incomplete: {
    status: 409,
    meaning: 'The video to vary lacks a complete request, as a drop whose settings were refused.',
    fix: 'Create a video with `POST /videos`, or drop the image again.',
  },
  source_gone: {
    status: 410,
    meaning: 'A file of the video to extend or vary has expired, or was deleted from its bucket. Nothing was created.',
    fix: 'Send the file again with `POST /uploads`, and name it in `POST /videos`.',
  },
  video_deleted: {
    status: 410,
    meaning: 'This `Idempotency-Key` created a video that has been deleted. No new one was created.',
    fix: 'Use a new key for a new video.',
  },
  content_gone: {
    status: 410,
    meaning: 'The file has expired (see `expires_at` of the video), or was deleted from the bucket.',
    fix: 'The record stays for 30 days after the file. Create a new video to get a new file.',
  },
  precondition_failed: {
    status: 412,
    meaning: '`If-Match` does not name the current ETag of the video. Nothing was done.',
    fix: 'Read the video again and send its ETag unchanged, with its quotes and without `W/`.',
  },
  request_too_large: {
    status: 413,
    meaning: 'The body has more than 10 MB, or is too large for a function: about 4 MiB of inline files.',
    fix: 'Upload files with `POST /uploads`, or give their URLs.',
    gateway: true,
  },
  image_too_large: {
    status: 413,
    meaning: 'The inline image has more than 4 MiB.',
    fix: 'Upload it with `POST /uploads` and give its `media_url` as `img_url`.',
  },
  audio_too_large: {
    status: 413,
    meaning: 'The inline audio has more than 4 MiB.',
    fix: 'Upload it with `POST /uploads` and give its `media_url` as `audio_url`.',
  },
  unsupported_content_encoding: {
    status: 415,
    meaning: '`Content-Encoding` is not gzip, deflate or identity, or the body does not match it.',
    fix: 'Send the body without compression and without the header, or compress it with gzip.',
    gateway: true,
  },
  too_many_requests: {
    status: 429,
    meaning: 'Too many requests of the owner, or of all callers of a route. Nothing was done.',
    fix: 'Repeat the request after the seconds in `Retry-After`, and send fewer at a time.',
    retry_after: true,
  },
  internal_error: {
    status: 500,
    meaning: 'An unexpected error occurred.',
    fix: 'Try again, with the same `Idempotency-Key` if you sent one. If it happens again, report it with the `request_id`.',
  },
  bad_gateway: {
    status: 502,
    meaning:
      'An unexpected error occurred, possibly after the request was processed, or too many requests are in progress.',
    fix: `${again} Send the same \`Idempotency-Key\` if there was one.`,
    retry_after: true,
    gateway: true,
  },
  wan_unavailable: {
    status: 503,
    meaning: 'The request depends on Wan, which does not respond at present.',
    fix: again,
    retry_after: true,
  },
  gateway_timeout: {
    status: 504,
    meaning: 'The response took too long. The request may have been processed.',
    fix: 'Send it again with the same `Idempotency-Key`, or check first with `GET /videos`.',
    gateway: true,
  },
} as const satisfies Record<string, ProblemCode>;

export type Code = keyof typeof table;
export const problemCodes: Readonly<Record<Code, ProblemCode>> = table;
export const codeNames = Object.keys(table) as readonly Code[];

/** A Markdown list of codes with their meaning. */
export const explainCodes = (codes: readonly Code[]): string =>
  codes.map((code) => `- \`${code}\`: ${problemCodes[code].meaning} ${problemCodes[code].fix}`).join('\n');

/** Formats a table as Markdown. */
export const markdownTable = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** The error codes of videos as a table, for the contract and docs/codes.md. */
export const endingsTable: string = markdownTable(
  ['code', 'retryable', 'billed', 'meaning'],
  failureCodes
    .map((code) => explainEnding(code))
    .map(({ code, message, retryable, billed, hint }) => [
      `\`${code}\``,
      retryable ? 'yes' : 'no',
      billed ? 'yes, or possibly' : 'no',
      `${message} ${hint}`,
    ]),
);

/** The problem codes of the API as a table, for docs/codes.md. */
export const problemsTable: string = markdownTable(
  ['code', 'status', 'sent by', 'meaning'],
  codeNames.map((code) => {
    const { status, meaning, fix, gateway } = problemCodes[code];
    return [`\`${code}\``, status, gateway ? 'gateway' : 'handler', `${meaning} ${fix}`];
  }),
);
