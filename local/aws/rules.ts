import type { RuleDefinition } from './events/event-bus.ts';
import type { Stack } from './template/load.ts';

/** The template's EventBridge rules. */
export function readRules(stack: Stack): RuleDefinition[] {
  return stack.all('AWS::Events::Rule').map(({ name, properties, attribute }) => ({
    name,
    arn: attribute('Arn'),
    event_pattern: properties.EventPattern,
    schedule_expression: properties.ScheduleExpression,
    targets: properties.Targets.map(({ Arn, DeadLetterConfig }) => ({
      function_arn: Arn,
      dead_letter_arn: DeadLetterConfig?.Arn,
    })),
  }));
}
