interface Statement {
  Effect?: unknown;
  Action?: unknown;
  Resource?: unknown;
}

export type Decision = 'allowed' | 'denied' | 'malformed';

/** Evaluates whether an authorizer's policy allows a method. An explicit deny overrides any allow. */
export function evaluatePolicy(policyDocument: unknown, methodArn: string): Decision {
  const statements = (policyDocument as { Statement?: unknown } | undefined)?.Statement;
  const list = Array.isArray(statements) ? statements : [statements];
  if (!list.every(isStatement)) return 'malformed';
  const applying = list.filter(
    ({ Action, Resource }) => matchesAny(Action, 'execute-api:Invoke') && matchesAny(Resource, methodArn),
  );
  if (applying.some(({ Effect }) => Effect === 'Deny')) return 'denied';
  return applying.length > 0 ? 'allowed' : 'denied';
}

function isStatement(value: unknown): value is Statement {
  if (typeof value !== 'object' || value === null) return false;
  const { Effect, Action, Resource } = value as Statement;
  return (
    (Effect === 'Allow' || Effect === 'Deny') &&
    [Action, Resource].every((part) => [part].flat().every((text) => typeof text === 'string'))
  );
}

function matchesAny(patterns: unknown, value: string): boolean {
  return [patterns].flat().some((pattern) => typeof pattern === 'string' && glob(pattern).test(value));
}

/** Compiles an ARN pattern: `*` matches any text, `?` any character. */
export function glob(pattern: string): RegExp {
  const escaped = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^]*')
    .replaceAll('?', '[^]');
  return new RegExp(`^${escaped}$`, 'i');
}
