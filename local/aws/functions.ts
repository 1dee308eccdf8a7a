import { roleAccessKey } from './endpoint/access-keys.ts';
import { type FunctionDefinition, functionNameOf } from './lambda/function-definition.ts';
import type { Stack } from './template/load.ts';

/**
 * The template's Lambda functions.
 * @param codeDirectory where the bundle of a function lies, by its logical id
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
      asynchronous: {
        maximum_retry_attempts: invokeConfigurations.get(name)?.MaximumRetryAttempts,
        maximum_event_age_seconds: invokeConfigurations.get(name)?.MaximumEventAgeInSeconds,
        dead_letter_arn: properties.DeadLetterConfig?.TargetArn,
      },
    };
  });
}
