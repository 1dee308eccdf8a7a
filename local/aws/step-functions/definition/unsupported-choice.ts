import type { Json, JsonObject } from '../contract.ts';
import { typeOfComparison, typeTests } from './fields.ts';
import { isObject, objectOf, objectsOf } from './json.ts';
import { pathProblem } from './unsupported-path.ts';

/** What the engine would not compare as AWS does in the rules of a Choice. */
export function choiceProblems(state: JsonObject): string[] {
  return objectsOf(state.Choices).flatMap((rule, index) => ruleProblems(rule, `Choices[${index}]`));
}

function ruleProblems(rule: JsonObject, place: string): string[] {
  const { Next: _next, Comment: _comment, ...test } = rule;
  const nested = [
    ...objectsOf(test.And).map((inner, index) => [inner, `${place}.And[${index}]`] as const),
    ...objectsOf(test.Or).map((inner, index) => [inner, `${place}.Or[${index}]`] as const),
    ...(isObject(test.Not) ? [[objectOf(test.Not), `${place}.Not`] as const] : []),
  ];
  if (nested.length > 0) {
    return [
      ...oneComparison(test, ['And', 'Or', 'Not'], place),
      ...nested.flatMap(([inner, at]) => ruleProblems(inner, at)),
    ];
  }
  const { Variable: variable, ...comparison } = test;
  return [
    ...(typeof variable === 'string' ? pathProblem(variable, `${place}.Variable`) : [`${place} has no Variable`]),
    ...oneComparison(comparison, [...typeOfComparison.keys(), ...typeTests], place),
    ...Object.entries(comparison).flatMap(([field, value]) => comparedPath(field, value, place)),
  ];
}

function oneComparison(test: JsonObject, known: readonly string[], place: string): string[] {
  const fields = Object.keys(test);
  const strange = fields.filter((field) => !known.includes(field));
  if (strange.length > 0) return strange.map((field) => `${place}: ${field} is not supported`);
  return fields.length === 1 ? [] : [`${place} has ${fields.length} comparisons instead of one`];
}

const comparedPath = (field: string, value: Json | undefined, place: string): string[] =>
  field.endsWith('Path') ? pathProblem(value, `${place}.${field}`) : [];
