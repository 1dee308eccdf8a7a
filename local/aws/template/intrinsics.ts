/** What an intrinsic function may ask about its template. Each lookup throws an Error that names what is missing. */
export interface Scope {
  ref(logicalId: string): unknown;
  attribute(logicalId: string, name: string): unknown;
  condition(name: string): boolean;
  mapping(map: string, first: string, second: string): unknown;
}

/** What `AWS::NoValue` resolves to: the property or list entry that holds it vanishes. */
export const noValue = Symbol('AWS::NoValue');

type Intrinsic = (argument: unknown, scope: Scope) => unknown;

const intrinsics: Record<string, Intrinsic> = {
  Ref: (argument, scope) => scope.ref(text(argument, 'Ref')),
  'Fn::GetAtt': (argument, scope) => {
    const [logicalId, ...attribute] = Array.isArray(argument)
      ? argument.map(String)
      : text(argument, 'Fn::GetAtt').split('.');
    if (logicalId === undefined || attribute.length === 0)
      throw new Error('Fn::GetAtt needs a resource and an attribute');
    return scope.attribute(logicalId, attribute.join('.'));
  },
  'Fn::Join': (argument, scope) => {
    const [separator, parts] = list(argument, 'Fn::Join', 2);
    return list(resolve(parts, scope), 'Fn::Join')
      .map((part) => text(part, 'Fn::Join'))
      .join(text(separator, 'Fn::Join'));
  },
  'Fn::Select': (argument, scope) => {
    const [index, from] = list(argument, 'Fn::Select', 2);
    const choices = list(resolve(from, scope), 'Fn::Select');
    const chosen = choices[Number(resolve(index, scope))];
    if (chosen === undefined) throw new Error(`Fn::Select asks for entry ${String(index)} of ${choices.length}`);
    return chosen;
  },
  'Fn::Split': (argument, scope) => {
    const [separator, from] = list(argument, 'Fn::Split', 2);
    return text(resolve(from, scope), 'Fn::Split').split(text(separator, 'Fn::Split'));
  },
  'Fn::Sub': (argument, scope) => substitute(argument, scope),
  'Fn::If': (argument, scope) => {
    const [condition, then, otherwise] = list(argument, 'Fn::If', 3);
    return resolve(scope.condition(text(condition, 'Fn::If')) ? then : otherwise, scope);
  },
  'Fn::FindInMap': (argument, scope) => {
    const [map, first, second] = list(argument, 'Fn::FindInMap', 3).map((key) =>
      text(resolve(key, scope), 'Fn::FindInMap'),
    );
    return scope.mapping(map!, first!, second!);
  },
};

const conditionFunctions: Record<string, (argument: unknown, scope: Scope) => boolean> = {
  Condition: (argument, scope) => scope.condition(text(argument, 'Condition')),
  'Fn::Equals': (argument, scope) => {
    const [left, right] = list(argument, 'Fn::Equals', 2).map((side) => resolve(side, scope));
    return String(left) === String(right);
  },
  'Fn::Not': (argument, scope) => !evaluateCondition(list(argument, 'Fn::Not', 1)[0], scope),
  'Fn::And': (argument, scope) => list(argument, 'Fn::And').every((part) => evaluateCondition(part, scope)),
  'Fn::Or': (argument, scope) => list(argument, 'Fn::Or').some((part) => evaluateCondition(part, scope)),
};

/**
 * The value with every intrinsic function in it worked out.
 * @throws Error that names a function the local runtime does not know (`Fn::ImportValue`, `Fn::GetAZs`, …).
 */
export function resolve(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) return value.map((entry) => resolve(entry, scope)).filter((entry) => entry !== noValue);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (only && entries.length === 1 && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
    const [name, argument] = only;
    const intrinsic = intrinsics[name];
    if (!intrinsic) throw new Error(`the intrinsic function ${name} is not known to the local runtime`);
    return intrinsic(argument, scope);
  }
  return Object.fromEntries(
    entries.map(([key, entry]) => [key, resolve(entry, scope)]).filter(([, entry]) => entry !== noValue),
  );
}

/** The outcome of an entry of `Conditions`. */
export function evaluateCondition(expression: unknown, scope: Scope): boolean {
  const [only] = typeof expression === 'object' && expression !== null ? Object.entries(expression) : [];
  const evaluate = only && conditionFunctions[only[0]];
  if (!evaluate)
    throw new Error(`the condition function ${only?.[0] ?? String(expression)} is not known to the local runtime`);
  return evaluate(only[1], scope);
}

function substitute(argument: unknown, scope: Scope): string {
  const [pattern, own] = Array.isArray(argument) ? argument : [argument, {}];
  const variables = (own ?? {}) as Record<string, unknown>;
  return text(pattern, 'Fn::Sub').replaceAll(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal) return `\${${name}}`;
    if (Object.hasOwn(variables, name)) return text(resolve(variables[name], scope), 'Fn::Sub');
    const dot = name.indexOf('.');
    return text(dot < 0 ? scope.ref(name) : scope.attribute(name.slice(0, dot), name.slice(dot + 1)), 'Fn::Sub');
  });
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`${where} needs text, not ${value === noValue ? 'AWS::NoValue' : JSON.stringify(value)}`);
}

function list(value: unknown, where: string, length?: number): unknown[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length))
    throw new Error(`${where} needs a list${length === undefined ? '' : ` of ${length}`}`);
  return value;
}
