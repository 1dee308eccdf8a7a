import { isObject } from '../is-object.ts';

/** Whether the value at a place of an event matches; it is undefined where the event has no such place. */
export type EventPredicate = (event: unknown) => boolean;

/**
 * The predicate of an EventBridge event pattern: constants and prefixes.
 * @throws Error that names an operator the local runtime does not know, with its place
 */
export function compilePattern(pattern: Record<string, unknown>, place = ''): EventPredicate {
  const parts = Object.entries(pattern).map(([key, expected]): [string, EventPredicate] => {
    const here = place ? `${place}.${key}` : key;
    if (key.startsWith('$')) throw new Error(`the event pattern's operator ${here} is unknown`);
    if (Array.isArray(expected)) {
      const alternatives = expected.map((alternative) => compileAlternative(alternative, here));
      return [key, (found) => [found].flat().some((value) => alternatives.some((test) => test(value)))];
    }
    if (!isObject(expected)) throw new Error(`the event pattern's ${here} must be a list of alternatives`);
    return [key, compilePattern(expected, here)];
  });
  return (event) => isObject(event) && parts.every(([key, test]) => Object.hasOwn(event, key) && test(event[key]));
}

function compileAlternative(alternative: unknown, place: string): EventPredicate {
  if (!isObject(alternative)) return (value) => value === alternative;
  const { prefix, ...others } = alternative;
  if (typeof prefix !== 'string' || Object.keys(others).length > 0)
    throw new Error(`the event pattern's operator ${place}: ${JSON.stringify(alternative)} is unknown`);
  return (value) => typeof value === 'string' && value.startsWith(prefix);
}
