import type * as z from 'zod';
import { type Issue, maxIssues, pointerTo } from '../../shared/issues.ts';
import { issuesProblem } from '../../shared/problem.ts';
import type { ApiRequest } from './request.ts';

type Query = Pick<ApiRequest, 'queryStringParameters' | 'multiValueQueryStringParameters'>;

/**
 * The query's parameters, as a schema wants them.
 * @throws Problem 400 that names every wrong, unknown or repeated parameter
 */
export function readQuery<Schema extends z.ZodObject>(query: Query, schema: Schema): z.output<Schema> {
  const repeated = repeatedParameters(query);
  const parsed = schema.safeParse(query.queryStringParameters ?? {});
  if (parsed.success && repeated.length === 0) return parsed.data;
  const known = Object.keys(schema.shape).join(', ');
  const wrong = parsed.error?.issues.flatMap((issue) => issuesOf(issue, known)) ?? [];
  throw issuesProblem('invalid_query', 'The query can not be used.', [...repeated, ...wrong].slice(0, maxIssues));
}

/** The gateway keeps the last of several values: which one was meant, nobody knows. */
function repeatedParameters({ multiValueQueryStringParameters }: Query): Issue[] {
  return Object.entries(multiValueQueryStringParameters ?? {})
    .filter(([, values]) => values && values.length > 1)
    .map(([name]) => ({
      pointer: pointerTo('', name),
      code: 'repeated_parameter',
      message: 'Give the parameter once.',
    }));
}

function issuesOf(issue: z.core.$ZodIssue, known: string): Issue[] {
  if (issue.code === 'unrecognized_keys') {
    const message = `There is no such parameter. There are ${known}.`;
    return issue.keys.map((key) => ({ pointer: pointerTo('', key), code: 'unknown_parameter', message }));
  }
  return [{ pointer: pointerTo('', issue.path.join('/')), code: 'invalid_value', message: issue.message }];
}
