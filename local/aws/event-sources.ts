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

/** The template's event source mappings. `checkReferences` has found their functions. */
export function readEventSources(stack: Stack): EventSourceDefinition[] {
  const roles = new Map(stack.all('AWS::Lambda::Function').map(({ name, properties }) => [name, properties.Role]));
  return stack.all('AWS::Lambda::EventSourceMapping').map(({ properties }) => ({
    queue_arn: properties.EventSourceArn,
    function_arn: properties.FunctionName,
    role_arn: roles.get(functionNameOf(properties.FunctionName))!,
    batch_size: properties.BatchSize,
    maximum_concurrency: properties.ScalingConfig.MaximumConcurrency,
  }));
}
