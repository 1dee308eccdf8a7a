import type { Json } from '../contract.ts';
import { intrinsics } from './fields.ts';
import { isObject } from './json.ts';

const quoted = /'(?:\\.|[^'\\])*'/g;

/** What a path refers to that is not there. A field that is absent or null has no problem. */
export function pathProblem(value: Json | undefined, place: string): string[] {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'string' || !value.startsWith('$')) return [`${place} is no path (${JSON.stringify(value)})`];
  return contextProblems(value.replace(quoted, "''"), place);
}

/** The same where an intrinsic function may stand as well. */
export function expressionProblem(value: Json | undefined, place: string): string[] {
  if (typeof value !== 'string' || !value.startsWith('States.')) return pathProblem(value, place);
  const outsideQuotes = value.replace(quoted, "''");
  return [...contextProblems(outsideQuotes, place), ...functionProblems(outsideQuotes, place)];
}

/** The same for each `.$` of a payload template. */
export function templateProblems(template: Json | undefined, place: string): string[] {
  if (Array.isArray(template)) return template.flatMap((item, index) => templateProblems(item, `${place}[${index}]`));
  if (!isObject(template)) return [];
  return Object.entries(template).flatMap(([key, value]) => {
    if (!key.endsWith('.$')) return templateProblems(value, `${place}.${key}`);
    return value === null ? [`${place}.${key} is no path (null)`] : expressionProblem(value, `${place}.${key}`);
  });
}

/** Only these parts of the context object are filled in; the engine gives undefined for the others, or something wrong. */
const contextReference =
  /^\$\$\.(Execution\.(Id|Name|Input|StartTime|RoleArn|RedriveCount)|StateMachine\.(Id|Name))(?![\w-])/;

function contextProblems(text: string, place: string): string[] {
  return [...text.matchAll(/\$\$[^\s,)]*/g)]
    .map(([reference]) => reference)
    .filter((reference) => !contextReference.test(reference))
    .map((reference) => `${place}: ${reference} is not supported, only $$.Execution.… and $$.StateMachine.…`);
}

function functionProblems(text: string, place: string): string[] {
  return [...text.matchAll(/States\.(\w+)/g)]
    .filter(([, name]) => !intrinsics.includes(name ?? ''))
    .map(([name]) => `${place}: ${name} is no intrinsic function of the local engine`);
}
