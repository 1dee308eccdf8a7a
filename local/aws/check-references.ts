import { account, region } from './account.ts';
import type { ApiDefinition } from './api-gateway/api-definition.ts';
import { glob } from './api-gateway/policy.ts';
import { isQueue, type RuleDefinition } from './events/event-bus.ts';
import { type FunctionDefinition, functionNameOf } from './lambda/function-definition.ts';
import type { Stack } from './template/load-stack.ts';
import { TemplateError } from './template/template.ts';

interface Definitions {
  api: ApiDefinition;
  rules: readonly RuleDefinition[];
  functions: readonly FunctionDefinition[];
}

/**
 * Checks what AWS reports only at deployment or at run time: every invoker has the permission to invoke, every rule
 * that to send to its queues, every dead-letter queue is in the template, and a queue's visibility timeout is at least its function's timeout.
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
      targets
        .filter((target) => !isQueue(target.arn))
        .map(({ arn: target }) => ({ subject: `the rule ${name}`, principal: 'events', source: arn, target })),
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
    ...functions.map(({ name, async_settings }) => ({
      subject: `the function ${name}`,
      arn: async_settings.dead_letter_arn,
    })),
    ...[...queues.values()].map(({ name, properties }) => ({
      subject: `the queue ${name}`,
      arn: properties.RedrivePolicy?.deadLetterTargetArn,
    })),
  ];
  const sends = rules.flatMap(({ name, arn, targets }) =>
    targets
      .flatMap((target) => [isQueue(target.arn) ? target.arn : undefined, target.dead_letter_arn])
      .flatMap((queue) => (queue === undefined ? [] : [{ subject: `the rule ${name}`, source: arn, queue }])),
  );
  const issues = [
    ...sends
      .filter(({ queue }) => !queues.has(queue))
      .map(({ subject, queue }) => `${subject} sends to ${queue}, which is not a queue of the template`),
    ...sends
      .filter(({ source, queue }) => queues.has(queue) && !maySend(stack, source, queues.get(queue)!.ref))
      .map(({ subject, queue }) => `${subject} may not send to ${queue}: no AWS::SQS::QueuePolicy allows it`),
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

/** Whether a queue's policy lets a rule send to it. */
const maySend = (stack: Stack, ruleArn: string, queueUrl: string): boolean =>
  stack
    .all('AWS::SQS::QueuePolicy')
    .filter(({ properties }) => properties.Queues.includes(queueUrl))
    .flatMap(({ properties }) => properties.PolicyDocument.Statement)
    .some(({ Action, Condition = {}, Effect, Principal }) => {
      const { ArnEquals, StringEquals, ...others } = Condition;
      return (
        Effect === 'Allow' &&
        [Action].flat().includes('sqs:SendMessage') &&
        typeof Principal === 'object' &&
        Principal.Service === 'events.amazonaws.com' &&
        Object.keys(others).length === 0 &&
        [ArnEquals?.['aws:SourceArn'] ?? ruleArn].flat().includes(ruleArn) &&
        // The CDK names the account instead of the rule for a queue with a key of its own.
        [StringEquals?.['aws:SourceAccount'] ?? account].flat().includes(account)
      );
    });
