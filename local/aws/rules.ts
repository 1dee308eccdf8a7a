import type { RuleDefinition } from './events/event-bus.ts';
import type { Stack } from './template/load.ts';

/** The template's enabled EventBridge rules. */
export function readRules(stack: Stack): RuleDefinition[] {
  return stack
    .all('AWS::Events::Rule')
    .filter(({ properties }) => properties.State === 'ENABLED')
    .map((rule) => ({
      name: rule.name,
      arn: rule.attribute('Arn'),
      event_pattern: rule.properties.EventPattern,
      schedule_expression: rule.properties.ScheduleExpression,
      targets: rule.properties.Targets.map((target) => ({
        function_arn: target.Arn,
        input: target.Input,
        input_path: target.InputPath,
        dead_letter_arn: target.DeadLetterConfig?.Arn,
      })),
    }));
}
