type Value = string | number | boolean | null;
/** Whether the values found at a place of an event match; none are found where the event has no such place. */
type Test = (values: readonly Value[]) => boolean;
export type EventPredicate = (event: unknown) => boolean;

/**
 * The predicate of an EventBridge event pattern.
 * @throws Error that names an operator the local runtime does not know, with its place
 */
export function compilePattern(pattern: Record<string, unknown>, place = ''): EventPredicate {
  const parts = Object.entries(pattern).map(([key, expected]): [string, EventPredicate] => {
    const here = place ? `${place}.${key}` : key;
    if (key.startsWith('$')) throw new Error(`the event pattern's operator ${here} is unknown`);
    if (Array.isArray(expected)) {
      const alternatives = expected.map((alternative) => compileAlternative(alternative, here));
      return [key, (found) => alternatives.some((test) => test(leaves(found)))];
    }
    if (typeof expected !== 'object' || expected === null)
      throw new Error(`the event pattern's ${here} must be a list of alternatives`);
    return [key, compilePattern(expected as Record<string, unknown>, here)];
  });
  return (event) => {
    if (Array.isArray(event)) return event.some((entry) => parts.every(([key, test]) => test(property(entry, key))));
    return parts.every(([key, test]) => test(property(event, key)));
  };
}

function compileAlternative(alternative: unknown, place: string): Test {
  if (typeof alternative !== 'object' || alternative === null) return some((value) => value === alternative);
  const [only, ...more] = Object.entries(alternative);
  const compile = only && more.length === 0 ? operators[only[0]] : undefined;
  if (!only || !compile)
    throw new Error(`the event pattern's operator ${place}: ${JSON.stringify(alternative)} is unknown`);
  return compile(only[1], place);
}

const some =
  (test: (value: Value) => boolean): Test =>
  (values) =>
    values.some(test);
const someText = (test: (value: string) => boolean) => some((value) => typeof value === 'string' && test(value));

const operators: Record<string, (operand: unknown, place: string) => Test> = {
  prefix: (operand, place) => {
    const prefix = text(operand, place);
    return someText((value) => value.startsWith(prefix));
  },
  suffix: (operand, place) => {
    const suffix = text(operand, place);
    return someText((value) => value.endsWith(suffix));
  },
  wildcard: (operand, place) => {
    const expression = wildcard(text(operand, place));
    return someText((value) => expression.test(value));
  },
  'equals-ignore-case': (operand, place) => {
    const expected = text(operand, place).toLowerCase();
    return someText((value) => value.toLowerCase() === expected);
  },
  exists: (operand) => (values) => values.length > 0 === operand,
  numeric: (operand, place) => {
    const holds = numericTest(operand, place);
    return some((value) => typeof value === 'number' && holds(value));
  },
  'anything-but': (operand, place) => {
    const excluded = Array.isArray(operand) ? operand : [operand];
    const tests = excluded.map((one) => compileAlternative(one, place));
    return some((value) => !tests.some((test) => test([value])));
  },
};

const comparisons: Record<string, (value: number, bound: number) => boolean> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

function numericTest(operand: unknown, place: string): (value: number) => boolean {
  const list: unknown[] = Array.isArray(operand) ? operand : [];
  const pairs = Array.from({ length: list.length / 2 }, (_, index) => [list[index * 2], list[index * 2 + 1]] as const);
  const tests = pairs.map(([sign, bound]) => {
    const compare = comparisons[String(sign)];
    if (!compare || typeof bound !== 'number')
      throw new Error(`the event pattern's ${place}: numeric ${String(sign)} is unknown`);
    return (value: number) => compare(value, bound);
  });
  if (tests.length === 0) throw new Error(`the event pattern's ${place}: numeric needs comparisons`);
  return (value) => tests.every((test) => test(value));
}

function wildcard(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*')}$`);
}

function text(operand: unknown, place: string): string {
  if (typeof operand === 'string') return operand;
  throw new Error(`the event pattern's operator ${place}: ${JSON.stringify(operand)} is unknown`);
}

function property(event: unknown, key: string): unknown {
  return typeof event === 'object' && event !== null && Object.hasOwn(event, key)
    ? (event as Record<string, unknown>)[key]
    : undefined;
}

function leaves(found: unknown): Value[] {
  if (found === undefined) return [];
  if (Array.isArray(found)) return found.flatMap(leaves);
  return typeof found === 'object' && found !== null ? [] : [found as Value];
}
