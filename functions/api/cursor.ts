/** A cursor as callers see it: a position in a list, `created_at#id`, in a form that nobody is tempted to build. */
export const writeCursor = (position: string): string => Buffer.from(position).toString('base64url');

/** The position in a cursor, or undefined for a text that `writeCursor` never gave. */
export function readCursor(cursor: string): string | undefined {
  const position = Buffer.from(cursor, 'base64url').toString();
  const isPosition = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(
    position,
  );
  return isPosition && writeCursor(position) === cursor ? position : undefined;
}
