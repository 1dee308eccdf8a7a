import { account, region } from './account.ts';
import type { ApiDefinition } from './api-gateway/api-definition.ts';
import { glob } from './api-gateway/policy.ts';
import type { RuleDefinition } from './events/event-bus.ts';
import { type FunctionDefinition, functionNameOf } from './lambda/function-definition.ts';
import type { Stack } from './template/load.ts';
import { TemplateError } from './template/template.ts';

interface Wiring {
  api: ApiDefinition;
  rules: readonly RuleDefinition[];
  functions: readonly FunctionDefinition[];
}

/**
 * Checks what AWS would only notice when it is used or made: that who invokes a function has the permission to, that failed
 * events end in queues of the template, and that a queue hides a message for as long as its function may run.
 * @throws TemplateError
 */
export function checkReferences(stack: Stack, { api, rules, functions }: Wiring): void {
  const permissions = stack.all('AWS::Lambda::Permission').map(({ properties }) => properties);
  const mayInvoke = (principal: string, sourceArn: string, functionArn: string) =>
    permissions.some(
      ({ Principal, SourceArn, FunctionName }) =>
        Principal === principal &&
        FunctionName.split(':function:').at(-1) === functionArn.split(':function:').at(-1) &&
        (SourceArn === undefined || glob(SourceArn).test(sourceArn)),
    );
  const queues = new Map(stack.all('AWS::SQS::Queue').map((queue) => [queue.attribute('Arn'), queue]));
  const apiArn = `arn:aws:execute-api:${region}:${account}:${api.api_id}`;
  const invocations = [
    ...rules.flatMap(({ name, arn, targets }) =>
      targets.map((target) => ({
        who: `the rule ${name}`,
        principal: 'events',
        source: arn,
        target: target.function_arn,
      })),
    ),
    ...api.methods.map(({ http_method, resource_path, function_arn }) => ({
      who: `the method ${http_method} ${resource_path}`,
      principal: 'apigateway',
      source: `${apiArn}/${api.stage_name}/${http_method}${resource_path}`,
      target: function_arn,
    })),
    ...api.methods
      .flatMap(({ authorizer }) => authorizer ?? [])
      .map(({ id, function_arn }) => ({
        who: `the authorizer ${id}`,
        principal: 'apigateway',
        source: `${apiArn}/authorizers/${id}`,
        target: function_arn,
      })),
  ];
  const deadLetters = [
    ...rules.flatMap(({ name, targets }) =>
      targets.map(({ dead_letter_arn }) => ({ who: `the rule ${name}`, arn: dead_letter_arn })),
    ),
    ...functions.map(({ name, asynchronous }) => ({ who: `the function ${name}`, arn: asynchronous.dead_letter_arn })),
    ...[...queues.values()].map(({ name, properties }) => ({
      who: `the queue ${name}`,
      arn: properties.RedrivePolicy?.deadLetterTargetArn,
    })),
  ];
  const faults = [
    ...invocations
      .filter(({ principal, source, target }) => !mayInvoke(`${principal}.amazonaws.com`, source, target))
      .map(({ who, target }) => `${who} may not invoke ${target}: there is no AWS::Lambda::Permission for it`),
    ...deadLetters
      .filter(({ arn }) => arn !== undefined && !queues.has(arn))
      .map(({ who, arn }) => `${who} sends its dead letters to ${arn}, which is no queue of the template`),
    ...stack.all('AWS::Lambda::EventSourceMapping').flatMap(({ name, properties }) => {
      const { EventSourceArn, FunctionName } = properties;
      const queue = queues.get(EventSourceArn);
      const invoked = functions.find((candidate) => candidate.name === functionNameOf(FunctionName));
      const who = `the event source mapping ${name}`;
      if (!queue) return `${who} receives from ${EventSourceArn}, which is no queue of the template`;
      if (!invoked) return `${who} invokes ${FunctionName}, which is no function of the template`;
      const [hidden, runs] = [queue.properties.VisibilityTimeout, invoked.timeout_seconds];
      return hidden < runs
        ? `${who}: the queue hides a message for ${hidden} s, less than its function's ${runs} s`
        : [];
    }),
  ];
  if (faults.length > 0) throw new TemplateError([...new Set(faults)]);
}
