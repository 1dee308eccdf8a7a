import type { EventSourceDefinition } from './lambda/event-source.ts';
import { functionNameOf } from './lambda/function-definition.ts';
import type { QueueDefinition } from './sqs/queues.ts';
import type { Stack } from './template/load.ts';

/** The template's queues. Those that an event source mapping names are received from, the others kept for a person to read. */
export function readQueues(stack: Stack): QueueDefinition[] {
  const received = new Set(
    stack.all('AWS::Lambda::EventSourceMapping').map(({ properties }) => properties.EventSourceArn),
  );
  return stack.all('AWS::SQS::Queue').map(({ name, properties, attribute }) => {
    const arn = attribute('Arn');
    if (!received.has(arn)) return { arn, name };
    const { DelaySeconds, VisibilityTimeout, MessageRetentionPeriod, RedrivePolicy } = properties;
    return {
      arn,
      name,
      delivery: {
        delay_seconds: DelaySeconds,
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

/** The template's enabled event source mappings. `checkReferences` has found their functions. */
export function readEventSources(stack: Stack): EventSourceDefinition[] {
  const roles = new Map(stack.all('AWS::Lambda::Function').map(({ name, properties }) => [name, properties.Role]));
  return stack
    .all('AWS::Lambda::EventSourceMapping')
    .filter(({ properties }) => properties.Enabled)
    .map(({ properties: { EventSourceArn, FunctionName, BatchSize, ScalingConfig, FunctionResponseTypes } }) => ({
      queue_arn: EventSourceArn,
      function_arn: FunctionName,
      role_arn: roles.get(functionNameOf(FunctionName)) ?? '',
      batch_size: BatchSize,
      maximum_concurrency: ScalingConfig.MaximumConcurrency,
      reports_item_failures: FunctionResponseTypes.length > 0,
    }));
}
