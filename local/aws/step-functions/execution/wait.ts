import type { Json, JsonObject } from '../contract.ts';
import { objectOf } from '../definition/json.ts';
import { parseTimestamp } from '../definition/timestamp.ts';
import { StateError } from '../errors.ts';
import { evaluate } from './engine.ts';
import type { Entry } from './execution.ts';

/** The longest Wait (Amazon States Language: `Seconds`). */
const mostSeconds = 99_999_999;

/**
 * When a Wait ends, in epoch milliseconds. It depends on the state and its entry alone, so it is the same after a restart.
 * @param state as the engine gets it
 * @throws {StateError} States.Runtime when its input names no time
 */
export async function endOfWait(state: JsonObject, entry: Entry, context: JsonObject): Promise<number> {
  const valueAt = async (path: Json = null): Promise<unknown> => {
    const found = await evaluate({ 'value.$': path }, entry.input, context, state.InputPath);
    return objectOf(found).value;
  };
  if ('Timestamp' in state) return timestamp(state.Timestamp);
  if ('TimestampPath' in state) return timestamp(await valueAt(state.TimestampPath));
  const seconds = 'Seconds' in state ? state.Seconds : await valueAt(state.SecondsPath);
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 0 || seconds > mostSeconds) {
    throw new StateError(
      'States.Runtime',
      `${JSON.stringify(seconds)} is no whole number of seconds from 0 to ${mostSeconds}.`,
    );
  }
  return entry.entered_at + seconds * 1000;
}

function timestamp(value: unknown): number {
  const time = typeof value === 'string' ? parseTimestamp(value) : undefined;
  if (time === undefined) throw new StateError('States.Runtime', `${JSON.stringify(value)} is no RFC 3339 time.`);
  return time;
}
