import { account, region } from './account.ts';
import type { ApiDefinition } from './api-gateway/api-definition.ts';
import { glob } from './api-gateway/policy.ts';
import type { RuleDefinition } from './events/event-bus.ts';
import { type FunctionDefinition, functionNameOf } from './lambda/function-definition.ts';
import type { Stack } from './template/load-stack.ts';
import { TemplateError } from './template/template.ts';

interface Definitions {
  api: ApiDefinition;
  rules: readonly RuleDefinition[];
  functions: readonly FunctionDefinition[];
}

/**
 * Checks what AWS reports only at deployment or at run time: every invoker has the permission to invoke, every
 * dead-letter queue is in the template, and a queue's visibility timeout is at least its function's timeout.
 * @throws TemplateError
 */
export function checkReferences(stack: Stack, { api, rules, functions }: Definitions): void {
  const permissions = stack.all('AWS::Lambda::Permission').map(({ properties }) => properties);
  const hasPermission = (principal: string, sourceArn: string, functionArn: string) =>
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
      targets.map(({ function_arn: target }) => ({
        subject: `the rule ${name}`,
        principal: 'events',
        source: arn,
        target,
      })),
    ),
    ...api.methods.map(({ http_method, resource_path, function_arn }) => ({
      subject: `the method ${http_method} ${resource_path}`,
      principal: 'apigateway',
      source: `${apiArn}/${api.stage_name}/${http_method}${resource_path}`,
      target: function_arn,
    })),
    ...api.methods
      .flatMap(({ authorizer }) => authorizer ?? [])
      .map(({ id, function_arn }) => ({
        subject: `the authorizer ${id}`,
        principal: 'apigateway',
        source: `${apiArn}/authorizers/${id}`,
        target: function_arn,
      })),
  ];
  const deadLetters = [
    ...rules.flatMap(({ name, targets }) =>
      targets.map(({ dead_letter_arn }) => ({ subject: `the rule ${name}`, arn: dead_letter_arn })),
    ),
    ...functions.map(({ name, async_settings }) => ({
      subject: `the function ${name}`,
      arn: async_settings.dead_letter_arn,
    })),
    ...[...queues.values()].map(({ name, properties }) => ({
      subject: `the queue ${name}`,
      arn: properties.RedrivePolicy?.deadLetterTargetArn,
    })),
  ];
  const issues = [
    ...invocations
      .filter(({ principal, source, target }) => !hasPermission(`${principal}.amazonaws.com`, source, target))
      .map(({ subject, target }) => `${subject} may not invoke ${target}: there is no AWS::Lambda::Permission for it`),
    ...deadLetters
      .filter(({ arn }) => arn !== undefined && !queues.has(arn))
      .map(({ subject, arn }) => `${subject} sends its dead letters to ${arn}, which is not a queue of the template`),
    ...stack.all('AWS::Lambda::EventSourceMapping').flatMap(({ name, properties }) => {
      const { EventSourceArn, FunctionName } = properties;
      const queue = queues.get(EventSourceArn);
      const target = functions.find((candidate) => candidate.name === functionNameOf(FunctionName));
      const subject = `the event source mapping ${name}`;
      if (!queue) return `${subject} receives from ${EventSourceArn}, which is not a queue of the template`;
      if (!target) return `${subject} invokes ${FunctionName}, which is not a function of the template`;
      const [visibility, timeout] = [queue.properties.VisibilityTimeout, target.timeout_seconds];
      return visibility < timeout
        ? `${subject}: the queue's visibility timeout of ${visibility} s is shorter than the function's timeout of ${timeout} s`
        : [];
    }),
  ];
  if (issues.length > 0) throw new TemplateError([...new Set(issues)]);
}
