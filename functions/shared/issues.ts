/** Something in a request that must be mended before the request can be taken. */
export type Issue = {
  /** RFC 6901 pointer into the body, such as `/input/img_url`; empty for the body itself. */
  pointer: string;
  /** Stable, snake_case. */
  code: string;
  /** What is wrong and how to mend it. Never holds the value itself. */
  message: string;
};

/** Something that is taken, but not as the caller may think. */
export type Warning = { pointer: string; code: string; message: string };

/** More issues than these don't help anybody; a hostile body could have a million. */
export const maxIssues = 50;

/** A pointer to a field, with a long name cut and RFC 6901's escapes. */
export function pointerTo(parent: string, field: string): string {
  const name = field.length > 64 ? `${field.slice(0, 64)}…` : field;
  return `${parent}/${Buffer.from(name).toString().replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
