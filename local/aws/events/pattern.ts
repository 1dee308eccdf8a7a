import { isObject } from '../json.ts';

/** Whether a value in an event matches. The value is undefined if the event does not have it. */
export type EventPredicate = (event: unknown) => boolean;

/**
 * Compiles an EventBridge event pattern. Supports constants and prefixes.
 * @throws Error that names an unsupported operator and its path
 */
export function compilePattern(pattern: Record<string, unknown>, parentPath = ''): EventPredicate {
  const parts = Object.entries(pattern).map(([key, expected]): [string, EventPredicate] => {
    const path = parentPath ? `${parentPath}.${key}` : key;
    if (key.startsWith('$')) throw new Error(`the event pattern's operator ${path} is not supported`);
    if (Array.isArray(expected)) {
      const alternatives = expected.map((alternative) => compileAlternative(alternative, path));
      return [key, (found) => [found].flat().some((value) => alternatives.some((test) => test(value)))];
    }
    if (!isObject(expected)) throw new Error(`the event pattern's ${path} must be a list of alternatives`);
    return [key, compilePattern(expected, path)];
  });
  return (event) => isObject(event) && parts.every(([key, test]) => Object.hasOwn(event, key) && test(event[key]));
}

function compileAlternative(alternative: unknown, parentPath: string): EventPredicate {
  if (!isObject(alternative)) return (value) => value === alternative;
  const { prefix, ...others } = alternative;
  if (typeof prefix !== 'string' || Object.keys(others).length > 0)
    throw new Error(`the event pattern's operator ${parentPath}: ${JSON.stringify(alternative)} is not supported`);
  return (value) => typeof value === 'string' && value.startsWith(prefix);
}
