import type * as z from 'zod';
import { maxViolations, pointerTo, type Violation } from '../wan/violations.ts';
import type { ApiRequest } from './http.ts';
import { violationsProblem } from './problem.ts';

/**
 * The query's parameters, as a schema wants them.
 * @throws Problem 400 that names every wrong or unknown parameter
 */
export function readQuery<Schema extends z.ZodObject>(
  { queryStringParameters }: Pick<ApiRequest, 'queryStringParameters'>,
  schema: Schema,
): z.output<Schema> {
  const parsed = schema.safeParse(queryStringParameters ?? {});
  if (parsed.success) return parsed.data;
  const known = Object.keys(schema.shape).join(', ');
  const errors = parsed.error.issues.flatMap((issue) => violationsOf(issue, known)).slice(0, maxViolations);
  throw violationsProblem('invalid_query', 'The query can not be used.', errors);
}

function violationsOf(issue: z.core.$ZodIssue, known: string): Violation[] {
  if (issue.code === 'unrecognized_keys') {
    const message = `There is no such parameter. There are ${known}.`;
    return issue.keys.map((key) => ({ pointer: pointerTo('', key), code: 'unknown_parameter', message }));
  }
  return [{ pointer: pointerTo('', issue.path.join('/')), code: 'invalid_value', message: issue.message }];
}
