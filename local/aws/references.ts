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
    ...api.methods.flatMap(({ authorizer }) =>
      authorizer
        ? [
            {
              who: `the authorizer ${authorizer.id}`,
              principal: 'apigateway',
              source: `${apiArn}/authorizers/${authorizer.id}`,
              target: authorizer.function_arn,
            },
          ]
        : [],
    ),
  ];
  const deadLetters = [
    ...rules.flatMap(({ name, targets }) =>
      targets.map(({ dead_letter_arn }) => ({ who: `the rule ${name}`, arn: dead_letter_arn })),
    ),
    ...functions.flatMap(({ name, asynchronous: { dead_letter_arn, on_failure_arn } }) => [
      { who: `the function ${name}`, arn: dead_letter_arn },
      { who: `the function ${name}`, arn: on_failure_arn },
    ]),
    ...[...queues.values()].map(({ name, properties }) => ({
      who: `the queue ${name}`,
      arn: properties.RedrivePolicy?.deadLetterTargetArn,
    })),
  ];
  const mappings = stack.all('AWS::Lambda::EventSourceMapping').map(({ name, properties }) => ({
    who: `the event source mapping ${name}`,
    queue_arn: properties.EventSourceArn,
    queue: queues.get(properties.EventSourceArn),
    function_reference: properties.FunctionName,
    invoked: functions.find((candidate) => candidate.name === functionNameOf(properties.FunctionName)),
  }));
  const faults = [
    ...invocations
      .filter(({ principal, source, target }) => !mayInvoke(`${principal}.amazonaws.com`, source, target))
      .map(({ who, target }) => `${who} may not invoke ${target}: there is no AWS::Lambda::Permission for it`),
    ...deadLetters
      .filter(({ arn }) => arn !== undefined && !queues.has(arn))
      .map(({ who, arn }) => `${who} sends its dead letters to ${arn}, which is no queue of the template`),
    ...mappings.flatMap(({ who, queue, queue_arn, invoked, function_reference }) => {
      if (!queue) return [`${who} receives from ${queue_arn}, which is no queue of the template`];
      if (!invoked) return [`${who} invokes ${function_reference}, which is no function of the template`];
      const { VisibilityTimeout } = queue.properties;
      return VisibilityTimeout < invoked.timeout_seconds
        ? [
            `${who}: the queue hides a message for ${VisibilityTimeout} s, less than its function's ${invoked.timeout_seconds} s`,
          ]
        : [];
    }),
  ];
  if (faults.length > 0) throw new TemplateError([...new Set(faults)]);
}
