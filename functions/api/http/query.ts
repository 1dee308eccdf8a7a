import type * as z from 'zod';
import { type Issue, maxIssues, pointerTo } from '../../shared/issues.ts';
import { issuesProblem } from '../../shared/problem.ts';
import type { ApiRequest } from './request.ts';

type Query = Pick<ApiRequest, 'queryStringParameters' | 'multiValueQueryStringParameters'>;

/**
 * Parses the query parameters by a schema.
 * @throws ProblemError 400 with an issue for each invalid, unknown or repeated parameter
 */
export function readQuery<Schema extends z.ZodObject>(query: Query, schema: Schema): z.output<Schema> {
  const repeated = repeatedParameters(query);
  const parsed = schema.safeParse(query.queryStringParameters ?? {});
  if (parsed.success && repeated.length === 0) return parsed.data;
  const known = Object.keys(schema.shape).join(', ');
  const wrong = parsed.error?.issues.flatMap((issue) => issuesOf(issue, known)) ?? [];
  throw issuesProblem('invalid_query', 'The query is invalid.', [...repeated, ...wrong].slice(0, maxIssues));
}

/** API Gateway keeps only the last of several values, so a repeated parameter is ambiguous. */
function repeatedParameters({ multiValueQueryStringParameters }: Query): Issue[] {
  return Object.entries(multiValueQueryStringParameters ?? {})
    .filter(([, values]) => values && values.length > 1)
    .map(([name]) => ({
      pointer: pointerTo('', name),
      code: 'repeated_parameter',
      message: 'The parameter is repeated. Give it once.',
    }));
}

function issuesOf(issue: z.core.$ZodIssue, known: string): Issue[] {
  if (issue.code === 'unrecognized_keys') {
    const message = `This parameter is unknown. Use ${known}.`;
    return issue.keys.map((key) => ({ pointer: pointerTo('', key), code: 'unknown_parameter', message }));
  }
  return [{ pointer: pointerTo('', issue.path.join('/')), code: 'invalid_value', message: issue.message }];
}
