import { roleAccessKey } from './endpoint/access-keys.ts';
import { defaultBus, type RuleDefinition } from './events/event-bus.ts';
import type { EventSourceDefinition } from './lambda/event-source.ts';
import { type FunctionDefinition, functionNameOf } from './lambda/function-definition.ts';
import type { QueueDefinition } from './sqs/queues.ts';
import type { Stack } from './template/load-stack.ts';

/**
 * Reads the template's Lambda functions.
 * @param codeDirectory returns the directory of a function's bundle
 */
export function readFunctions(stack: Stack, codeDirectory: (logicalId: string) => string): FunctionDefinition[] {
  const invokeConfigurations = new Map(
    stack
      .all('AWS::Lambda::EventInvokeConfig')
      .map(({ properties }) => [functionNameOf(properties.FunctionName), properties]),
  );
  return stack.all('AWS::Lambda::Function').map(({ logical_id, name, properties, attribute }) => {
    const { access_key_id, secret_access_key } = roleAccessKey(properties.Role);
    return {
      name,
      arn: attribute('Arn'),
      code_directory: codeDirectory(logical_id),
      handler: properties.Handler,
      environment: properties.Environment?.Variables ?? {},
      memory_mb: properties.MemorySize,
      timeout_seconds: properties.Timeout,
      reserved_concurrency: properties.ReservedConcurrentExecutions,
      access_key_id,
      secret_access_key,
      async_settings: {
        maximum_retry_attempts: invokeConfigurations.get(name)?.MaximumRetryAttempts,
        maximum_event_age_seconds: invokeConfigurations.get(name)?.MaximumEventAgeInSeconds,
        dead_letter_arn: properties.DeadLetterConfig?.TargetArn,
      },
    };
  });
}

/** Reads the template's EventBridge rules. */
export function readRules(stack: Stack): RuleDefinition[] {
  return stack.all('AWS::Events::Rule').map(({ name, properties, attribute }) => ({
    name,
    arn: attribute('Arn'),
    bus: properties.EventBusName ?? defaultBus,
    event_pattern: properties.EventPattern,
    schedule_expression: properties.ScheduleExpression,
    targets: properties.Targets.map(({ Arn, DeadLetterConfig }) => ({
      arn: Arn,
      dead_letter_arn: DeadLetterConfig?.Arn,
    })),
  }));
}

/** Reads the template's SQS queues. Only a queue with an event source mapping has `delivery`. */
export function readQueues(stack: Stack): QueueDefinition[] {
  const sources = new Set(
    stack.all('AWS::Lambda::EventSourceMapping').map(({ properties }) => properties.EventSourceArn),
  );
  return stack.all('AWS::SQS::Queue').map(({ name, properties, attribute }) => {
    const arn = attribute('Arn');
    if (!sources.has(arn)) return { arn, name };
    const { VisibilityTimeout, MessageRetentionPeriod, RedrivePolicy } = properties;
    return {
      arn,
      name,
      delivery: {
        visibility_timeout_seconds: VisibilityTimeout,
        retention_seconds: MessageRetentionPeriod,
        redrive: RedrivePolicy && {
          dead_letter_arn: RedrivePolicy.deadLetterTargetArn,
          maximum_receive_count: RedrivePolicy.maxReceiveCount,
        },
      },
    };
  });
}

/** Reads the template's event source mappings, whose functions `checkReferences` has verified. */
export function readEventSources(stack: Stack): EventSourceDefinition[] {
  const roles = new Map(stack.all('AWS::Lambda::Function').map(({ name, properties }) => [name, properties.Role]));
  return stack.all('AWS::Lambda::EventSourceMapping').map(({ properties }) => ({
    queue_arn: properties.EventSourceArn,
    function_arn: properties.FunctionName,
    role_arn: roles.get(functionNameOf(properties.FunctionName))!,
    batch_size: properties.BatchSize,
    maximum_concurrency: properties.ScalingConfig.MaximumConcurrency,
    reports_failures: properties.FunctionResponseTypes.length > 0,
  }));
}
