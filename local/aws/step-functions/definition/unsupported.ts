import type { Json, JsonObject } from '../contract.ts';
import {
  catcherFields,
  expressionFields,
  lambdaInvokeFields,
  machineFields,
  pathFields,
  retrierFields,
  stateFields,
  templateFields,
} from './fields.ts';
import { isObject, objectOf, objectsOf, textOf } from './json.ts';
import { resourceKind } from './resource.ts';
import { parseTimestamp } from './timestamp.ts';
import { choiceProblems } from './unsupported-choice.ts';
import { expressionProblem, pathProblem, templateProblems } from './unsupported-path.ts';

/**
 * Everything in a definition that would not behave here as it does on AWS, each with the place where it stands. What the
 * engine does not know it ignores without a word, so whatever is not known to work is listed.
 */
export function unsupported(definition: JsonObject): string[] {
  const states = objectOf(definition.States);
  return [
    ...unknownFields(definition, machineFields, 'the definition'),
    ...jsonata(definition, 'the definition'),
    ...targetProblems(definition.StartAt, states, 'StartAt'),
    ...Object.entries(states).flatMap(([name, state]) => stateProblems(name, objectOf(state), states)),
  ];
}

function stateProblems(name: string, state: JsonObject, states: JsonObject): string[] {
  const type = textOf(state.Type) ?? '';
  const allowed = stateFields[type];
  if (!allowed) return [`${name}: ${refusedType(type, state)}`];
  const problem = (text: string) => `${name}: ${text}`;
  return [
    ...unknownFields(state, allowed, name),
    ...jsonata(state, name),
    ...(type === 'Task' ? taskProblems(state) : []).map(problem),
    ...(type === 'Wait' ? waitProblems(state) : []).map(problem),
    ...(type === 'Choice' ? choiceProblems(state) : []).map(problem),
    ...pathFields.flatMap((field) => pathProblem(state[field], field)).map(problem),
    ...expressionFields.flatMap((field) => expressionProblem(state[field], field)).map(problem),
    ...templateFields.flatMap((field) => templateProblems(state[field], field)).map(problem),
    ...objectsOf(state.Retry).flatMap((retrier, index) =>
      unknownFields(retrier, retrierFields, `${name}.Retry[${index}]`),
    ),
    ...objectsOf(state.Catch).flatMap((catcher, index) =>
      unknownFields(catcher, catcherFields, `${name}.Catch[${index}]`),
    ),
    ...transitionProblems(name, type, state, states),
  ];
}

function transitionProblems(name: string, type: string, state: JsonObject, states: JsonObject): string[] {
  const places: [place: string, target: Json | undefined][] = [
    ...objectsOf(state.Catch).map((catcher, index): [string, Json | undefined] => [
      `Catch[${index}].Next`,
      catcher.Next,
    ]),
    ...objectsOf(state.Choices).map((rule, index): [string, Json | undefined] => [`Choices[${index}].Next`, rule.Next]),
  ];
  if (state.Default !== undefined) places.push(['Default', state.Default]);
  if (['Task', 'Pass', 'Wait'].includes(type) && state.End !== true) places.push(['Next', state.Next]);
  return places.flatMap(([place, target]) => targetProblems(target, states, `${name}.${place}`));
}

const targetProblems = (target: Json | undefined, states: JsonObject, place: string): string[] =>
  typeof target === 'string' && target in states ? [] : [`${place} names no state (${JSON.stringify(target)})`];

function refusedType(type: string, state: JsonObject): string {
  const processor = objectOf(objectOf(state.ItemProcessor).ProcessorConfig);
  if (type === 'Map' && processor.Mode === 'DISTRIBUTED') return 'a Distributed Map is not supported';
  if (type === 'Map' || type === 'Parallel') return `a ${type} state is not supported`;
  return `${JSON.stringify(type)} is no type of a state`;
}

function taskProblems(state: JsonObject): string[] {
  const resource = textOf(state.Resource) ?? '';
  const kind = resourceKind(resource);
  if (kind === undefined) {
    return [
      `Resource ${JSON.stringify(resource)} is neither a Lambda function's ARN nor arn:aws:states:::lambda:invoke`,
    ];
  }
  if (kind === 'function') return [];
  const parameters = state.Parameters;
  if (!isObject(parameters) || !('FunctionName' in parameters || 'FunctionName.$' in parameters)) {
    return ['Parameters of lambda:invoke have no FunctionName'];
  }
  const known = lambdaInvokeFields.flatMap((field) => [field, `${field}.$`]);
  return [
    ...unknownFields(parameters, known, 'Parameters'),
    ...(parameters.InvocationType === undefined || parameters.InvocationType === 'RequestResponse'
      ? []
      : [
          `Parameters.InvocationType ${JSON.stringify(parameters.InvocationType)} is not supported, only RequestResponse`,
        ]),
  ];
}

function waitProblems(state: JsonObject): string[] {
  const given = ['Seconds', 'SecondsPath', 'Timestamp', 'TimestampPath'].filter((field) => field in state);
  if (typeof state.Timestamp === 'string' && parseTimestamp(state.Timestamp) === undefined) {
    return [`Timestamp ${JSON.stringify(state.Timestamp)} is no RFC 3339 time`];
  }
  return given.length === 1
    ? []
    : [`a Wait has one of Seconds, SecondsPath, Timestamp and TimestampPath, not ${given.length}`];
}

function unknownFields(object: JsonObject, known: readonly string[], place: string): string[] {
  return Object.keys(object)
    .filter((field) => !known.includes(field))
    .map((field) => `${place}: ${field} is not supported`);
}

function jsonata(object: JsonObject, place: string): string[] {
  return object.QueryLanguage === undefined || object.QueryLanguage === 'JSONPath'
    ? []
    : [`${place}: QueryLanguage ${JSON.stringify(object.QueryLanguage)} is not supported, only JSONPath`];
}
