import { requiredText } from './parameters.ts';
import { epochSeconds, existingExecution, type Services } from './services.ts';

export function describeExecution(services: Pick<Services, 'executions'>) {
  return async (request: unknown) => {
    const execution = existingExecution(services, requiredText(request, 'executionArn'));
    const { stopped_at: stoppedAt, output, error, cause } = execution;
    return {
      executionArn: execution.arn,
      stateMachineArn: execution.state_machine_arn,
      name: execution.name,
      status: execution.status,
      startDate: epochSeconds(execution.started_at),
      ...(stoppedAt === null ? {} : { stopDate: epochSeconds(stoppedAt) }),
      input: execution.input,
      inputDetails: { included: true },
      ...(output === null ? {} : { output, outputDetails: { included: true } }),
      ...(error === null ? {} : { error }),
      ...(cause === null ? {} : { cause }),
      redriveCount: 0,
      redriveStatus: 'NOT_REDRIVABLE',
      redriveStatusReason: `Execution is ${execution.status} and cannot be redriven`,
    };
  };
}
