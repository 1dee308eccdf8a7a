import { isObject } from '../is-object.ts';

/**
 * Reads a value of the template and notes in `faults` what is wrong with it, each as `the property <place> …`. Written here
 * because loading a validation library takes longer than the rest of the start.
 */
export type Schema<Value> = (value: unknown, place: string, faults: string[]) => Value;
export type ValueOf<Of> = Of extends Schema<infer Value> ? Value : never;

type Shape = Readonly<Record<string, Schema<unknown>>>;
type OptionalKey<Of extends Shape> = { [Key in keyof Of]: undefined extends ValueOf<Of[Key]> ? Key : never }[keyof Of];
type ObjectOf<Of extends Shape> = { [Key in Exclude<keyof Of, OptionalKey<Of>>]: ValueOf<Of[Key]> } & {
  [Key in OptionalKey<Of>]?: ValueOf<Of[Key]>;
};

/** What a faulty value is read as. It is never seen: faults end the start. */
function refuse<Value>(place: string, rule: string, faults: string[]): Value {
  faults.push(`the property ${place} ${rule}`);
  return undefined as Value;
}

/** Text. Numbers and booleans are taken too, as CloudFormation does. */
export const text: Schema<string> = textLike(/(?:)/, 'must be text');

/** Text that matches a pattern. */
export function textLike(pattern: RegExp, rule: string): Schema<string> {
  return (value, place, faults) => {
    const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    return isPlain && pattern.test(String(value)) ? String(value) : refuse(place, rule, faults);
  };
}

/** A number within bounds; text of one is taken too. */
export function number(smallest = Number.NEGATIVE_INFINITY, largest = Number.POSITIVE_INFINITY): Schema<number> {
  return (value, place, faults) => {
    const read = typeof value === 'string' && value !== '' ? Number(value) : value;
    if (typeof read === 'number' && read >= smallest && read <= largest) return read;
    return refuse(place, `must be a number from ${smallest} to ${largest}`, faults);
  };
}

export const boolean: Schema<boolean> = (value, place, faults) => {
  if (value === true || value === 'true') return true;
  return value === false || value === 'false' ? false : refuse(place, 'must be true or false', faults);
};

/** One of some constants; any other value is something the local runtime does not run. */
export function oneOf<const Value extends string | boolean>(...values: Value[]): Schema<Value> {
  return (value, place, faults) =>
    values.find((candidate) => candidate === value) ??
    refuse(place, `is ${JSON.stringify(value)}: the local runtime knows ${values.join(', ')}`, faults);
}

export function list<Entry>(entry: Schema<Entry>): Schema<Entry[]> {
  return (value, place, faults) =>
    Array.isArray(value)
      ? value.map((one, index) => entry(one, `${place}.${index}`, faults))
      : refuse(place, 'must be a list', faults);
}

/** An object with any keys of a pattern. */
export function map<Entry>(entry: Schema<Entry>, keys = /(?:)/): Schema<Record<string, Entry>> {
  return (value, place, faults) => {
    if (!isObject(value)) return refuse(place, 'must be an object', faults);
    const read = (key: string, one: unknown) =>
      keys.test(key) ? entry(one, `${place}.${key}`, faults) : refuse<Entry>(`${place}.${key}`, 'is unknown', faults);
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, read(key, one)]));
  };
}

/** An object with no other properties than these. */
export function object<const Of extends Shape>(shape: Of): Schema<ObjectOf<Of>> {
  return (value, place, faults) => {
    if (!isObject(value)) return refuse(place, 'must be an object', faults);
    const at = (key: string) => (place === '' ? key : `${place}.${key}`);
    for (const key of Object.keys(value)) if (!Object.hasOwn(shape, key)) refuse(at(key), 'is unknown', faults);
    return Object.fromEntries(
      Object.entries(shape).map(([key, schema]) => [key, schema(value[key], at(key), faults)]),
    ) as ObjectOf<Of>;
  };
}

export function optional<Value>(schema: Schema<Value>): Schema<Value | undefined> {
  return (value, place, faults) => (value === undefined ? undefined : schema(value, place, faults));
}

/** @param otherwise what CloudFormation takes where the property is missing */
export function withDefault<Value>(schema: Schema<Value>, otherwise: NoInfer<Value>): Schema<Value> {
  return (value, place, faults) => (value === undefined ? otherwise : schema(value, place, faults));
}

/** Any value. */
export const anything: Schema<unknown> = (value) => value;

/** A property, or all of a type's, that is known and has no effect on this machine; `why` that is safe. Kept for who reads the stack. */
export function inert(_why: string): Schema<unknown> {
  return anything;
}
