import type { MethodDefinition } from './api-definition.ts';

export interface RouteMatch {
  method: MethodDefinition;
  path_parameters: Record<string, string>;
}

/** The HTTP methods that `ANY` matches. */
const anyMethods = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);

/**
 * Returns a function that finds the method of a request as a REST API does: the most specific resource first (literal
 * segments before `{name}` before `{name+}`), then its HTTP method, then its `ANY`. A trailing slash is ignored.
 */
export function createRouter(
  methods: readonly MethodDefinition[],
): (httpMethod: string, path: string) => RouteMatch | undefined {
  const resources = new Map<string, MethodDefinition[]>();
  for (const method of methods)
    resources.set(method.resource_path, [...(resources.get(method.resource_path) ?? []), method]);
  const compiled = [...resources]
    .map(([path, own]) => ({ segments: splitPath(path), own }))
    .sort((one, other) => compareSpecificity(one.segments, other.segments));

  return (httpMethod, path) => {
    const requested = splitPath(path);
    for (const { segments, own } of compiled) {
      const path_parameters = matchSegments(segments, requested);
      if (!path_parameters) continue;
      const method =
        own.find(({ http_method }) => http_method === httpMethod) ??
        own.find(({ http_method }) => http_method === 'ANY' && anyMethods.has(httpMethod));
      return method && { method, path_parameters };
    }
    return undefined;
  };
}

function splitPath(path: string): string[] {
  return path.replace(/\/$/, '').split('/').slice(1);
}

function matchSegments(segments: readonly string[], requested: readonly string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const value = requested[index];
    if (value === undefined || value === '') return undefined;
    const [, name, greedy] = /^\{([^}+]+)(\+?)\}$/.exec(segment) ?? [];
    if (name === undefined) {
      if (segment !== value) return undefined;
    } else if (greedy) {
      parameters[name] = requested.slice(index).join('/');
      return parameters;
    } else parameters[name] = value;
  }
  return requested.length === segments.length ? parameters : undefined;
}

function compareSpecificity(one: readonly string[], other: readonly string[]): number {
  const rank = (segment: string | undefined) => {
    if (segment === undefined) return 3;
    if (segment.endsWith('+}')) return 2;
    return segment.startsWith('{') ? 1 : 0;
  };
  for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
    const difference = rank(one[index]) - rank(other[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}
