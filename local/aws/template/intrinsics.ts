/** Resolves references for intrinsic functions. Each lookup throws an Error that names what is missing. */
export interface Scope {
  ref(logicalId: string): unknown;
  attribute(logicalId: string, name: string): unknown;
}

type Intrinsic = (argument: unknown, scope: Scope) => unknown;

const intrinsics: Record<string, Intrinsic> = {
  Ref: (argument, scope) => scope.ref(text(argument, 'Ref')),
  'Fn::GetAtt': (argument, scope) => {
    const [logicalId, attribute] = list(argument, 'Fn::GetAtt', 2);
    return scope.attribute(text(logicalId, 'Fn::GetAtt'), text(attribute, 'Fn::GetAtt'));
  },
  'Fn::Join': (argument, scope) => {
    const [separator, parts] = list(argument, 'Fn::Join', 2);
    return list(resolve(parts, scope), 'Fn::Join')
      .map((part) => text(part, 'Fn::Join'))
      .join(text(separator, 'Fn::Join'));
  },
  'Fn::Select': (argument, scope) => {
    const [index, source] = list(argument, 'Fn::Select', 2);
    const choices = list(resolve(source, scope), 'Fn::Select');
    const chosen = choices[Number(resolve(index, scope))];
    if (chosen === undefined) throw new Error(`Fn::Select asks for entry ${String(index)} of ${choices.length}`);
    return chosen;
  },
  'Fn::Split': (argument, scope) => {
    const [separator, source] = list(argument, 'Fn::Split', 2);
    return text(resolve(source, scope), 'Fn::Split').split(text(separator, 'Fn::Split'));
  },
  'Fn::Sub': (argument, scope) =>
    text(argument, 'Fn::Sub').replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
      const [logicalId = '', ...attribute] = name.split('.');
      const value = attribute.length === 0 ? scope.ref(logicalId) : scope.attribute(logicalId, attribute.join('.'));
      return text(value, 'Fn::Sub');
    }),
};

/**
 * Evaluates all intrinsic functions in a value.
 * @throws Error that names an unsupported function (`Fn::If`, `Fn::ImportValue`, …)
 */
export function resolve(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) return value.map((entry) => resolve(entry, scope));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [entry] = entries;
  if (entry && entries.length === 1 && (entry[0] === 'Ref' || entry[0].startsWith('Fn::'))) {
    const [name, argument] = entry;
    const intrinsic = intrinsics[name];
    if (!intrinsic) throw new Error(`the intrinsic function ${name} is not supported`);
    return intrinsic(argument, scope);
  }
  return Object.fromEntries(entries.map(([key, entry]) => [key, resolve(entry, scope)]));
}

function text(value: unknown, functionName: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`${functionName} needs a string, not ${JSON.stringify(value)}`);
}

function list(value: unknown, functionName: string, length?: number): unknown[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length))
    throw new Error(`${functionName} needs a list${length === undefined ? '' : ` of ${length}`}`);
  return value;
}
