/**
 * A value as JSON with the fields of every object in one order: the same text for whatever is the same, in whichever order a client
 * wrote its fields or the table gave them back (DynamoDB promises none within a map).
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, sortFields);

function sortFields(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
