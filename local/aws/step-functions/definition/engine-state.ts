import type { Json, JsonObject } from '../contract.ts';
import { pathFields, templateFields, typeOfComparison, typeTests } from './fields.ts';
import { isObject, objectOf, objectsOf } from './json.ts';

/** Under this name the engine finds `$$.Execution`: it overwrites Input and StartTime of the one it knows. */
export const executionInContext = 'ThisExecution';

/** The engine ends a task after 60 s unless it is told otherwise. Ours end by our own clock, long before this. */
const neverSeconds = 2_147_483;

/**
 * The state as the engine has to be given it to do what AWS does. Retry, Catch and the waiting are not in it: they are
 * this runtime's own, since they have to survive a restart.
 */
export function engineState(state: JsonObject): JsonObject {
  const { Retry: _retry, Catch: _catch, Comment: _comment, TimeoutSecondsPath: _path, ...engine } = state;
  for (const field of pathFields) if (field in engine) engine[field] = engineExpression(engine[field]);
  for (const field of templateFields) if (field in engine) engine[field] = engineTemplate(engine[field] ?? null);
  // "$" is the default of these; the engine fails on an input of null, 0, false or "" when it is written out.
  for (const field of ['InputPath', 'OutputPath']) if (engine[field] === '$') delete engine[field];
  withResultPath(engine);
  if (engine.Type === 'Task') engine.TimeoutSeconds = neverSeconds;
  if (engine.Type === 'Choice') engine.Choices = objectsOf(engine.Choices).map(engineRule);
  // A Result of null, 0, false or "" is taken for none; as Parameters, a literal is given on as it is.
  if (engine.Type === 'Pass' && 'Result' in engine && !engine.Result) engine.Parameters = engine.Result ?? null;
  return engine;
}

/** Paths and templates with the context object's execution renamed, outside of quoted text. */
export function engineExpression(value: Json | undefined): Json {
  if (typeof value !== 'string') return value ?? null;
  return value.replace(/'(?:\\.|[^'\\])*'|\$\$\.Execution\b/g, (part) =>
    part === '$$.Execution' ? `$$.${executionInContext}` : part,
  );
}

function engineTemplate(template: Json): Json {
  if (Array.isArray(template)) return template.map(engineTemplate);
  if (!isObject(template)) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) => [
      key,
      key.endsWith('.$') ? engineExpression(value) : engineTemplate(value),
    ]),
  );
}

/** The engine reads "$" as a field of that name, and a bracket right after it as part of the name. */
export function withResultPath(state: JsonObject): void {
  if (state.ResultPath === '$') delete state.ResultPath;
  else if (typeof state.ResultPath === 'string') state.ResultPath = state.ResultPath.replace(/^\$\[/, '$.[');
}

function engineRule(rule: JsonObject): JsonObject {
  const { Next: next, Comment: _comment, ...test } = rule;
  return next === undefined ? engineTest(test) : { ...engineTest(test), Next: next };
}

/**
 * A comparison whose variable has another type is false on AWS; JavaScript would convert. A type test for `false` is the
 * opposite of the one for `true`; the engine never fulfils it. `?` is an ordinary character of StringMatches.
 */
function engineTest(test: JsonObject): JsonObject {
  if ('And' in test) return { And: objectsOf(test.And).map(engineTest) };
  if ('Or' in test) return { Or: objectsOf(test.Or).map(engineTest) };
  if ('Not' in test) return { Not: engineTest(objectOf(test.Not)) };
  const { Variable: variable, ...comparison } = test;
  const Variable = engineExpression(variable);
  const [field = '', value = null] = Object.entries(comparison)[0] ?? [];
  if (typeTests.includes(field)) {
    return value === false ? { Not: { Variable, [field]: true } } : { Variable, [field]: value };
  }
  const operand =
    field === 'StringMatches' && typeof value === 'string'
      ? value.replace(/\\.|\?/g, (part) => (part === '?' ? '\\?' : part))
      : field.endsWith('Path')
        ? engineExpression(value)
        : value;
  return {
    And: [
      { Variable, [typeOfComparison.get(field) ?? '']: true },
      { Variable, [field]: operand },
    ],
  };
}
