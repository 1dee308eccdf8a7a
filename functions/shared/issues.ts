/** One thing wrong with a request. */
export type Issue = {
  /** RFC 6901 pointer into the body, such as `/input/img_url`; empty for the body itself. */
  pointer: string;
  /** Stable, snake_case. */
  code: string;
  /** What is wrong and how to fix it. Must not contain the value itself. */
  message: string;
};

/** An issue of a file or URL by itself, before its place in the request is known. */
export type ValueIssue = Omit<Issue, 'pointer'>;

/** Something that is accepted, but may not have the intended effect. */
export type Warning = { pointer: string; code: string; message: string };

/** Maximum number of reported issues; a hostile body could have a million. */
export const maxIssues = 50;

/** Returns the pointer to a field, escaped as in RFC 6901, with a long name truncated. */
export function pointerTo(parent: string, field: string): string {
  const name = field.length > 64 ? `${field.slice(0, 64)}…` : field;
  return `${parent}/${Buffer.from(name).toString().replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
