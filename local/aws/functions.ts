import { roleAccessKey } from './endpoint/access-keys.ts';
import type { FunctionDefinition } from './lambda/function-definition.ts';
import type { Resource, Stack } from './template/load.ts';

/**
 * The template's Lambda functions.
 * @param codeDirectory where the bundle of a function lies, by its logical id
 */
export function readFunctions(stack: Stack, codeDirectory: (logicalId: string) => string): FunctionDefinition[] {
  const invokeConfigurations = stack.all('AWS::Lambda::EventInvokeConfig');
  return stack.all('AWS::Lambda::Function').map((resource) => {
    const { logical_id, name, properties } = resource;
    const own = invokeConfigurations.find(
      ({ properties: { FunctionName } }) => FunctionName.split(':').at(-1) === name,
    );
    const { access_key_id, secret_access_key } = roleAccessKey(properties.Role);
    return {
      name,
      arn: resource.attribute('Arn'),
      code_directory: codeDirectory(logical_id),
      handler: properties.Handler,
      environment: properties.Environment?.Variables ?? {},
      memory_mb: properties.MemorySize,
      timeout_seconds: properties.Timeout,
      reserved_concurrency: properties.ReservedConcurrentExecutions,
      access_key_id,
      secret_access_key,
      asynchronous: asynchronousSettings(resource, own),
    };
  });
}

function asynchronousSettings(
  { properties }: Resource<'AWS::Lambda::Function'>,
  configuration: Resource<'AWS::Lambda::EventInvokeConfig'> | undefined,
): FunctionDefinition['asynchronous'] {
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } = configuration?.properties ?? {};
  return {
    ...(MaximumRetryAttempts === undefined ? {} : { maximum_retry_attempts: MaximumRetryAttempts }),
    ...(MaximumEventAgeInSeconds === undefined ? {} : { maximum_event_age_seconds: MaximumEventAgeInSeconds }),
    dead_letter_arn: properties.DeadLetterConfig?.TargetArn,
    on_failure_arn: DestinationConfig?.OnFailure?.Destination,
  };
}
