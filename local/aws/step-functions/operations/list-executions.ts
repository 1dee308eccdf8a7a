import { pageOf } from './page.ts';
import { optionalChoice, requiredText } from './parameters.ts';
import { deployedMachine, epochSeconds, type Services } from './services.ts';

const statuses = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const;

/** The latest first. */
export function listExecutions(services: Pick<Services, 'executions' | 'machines'>) {
  return async (request: unknown) => {
    const { resource } = deployedMachine(services, requiredText(request, 'stateMachineArn'));
    const status = optionalChoice(request, 'statusFilter', statuses);
    const executions = services.executions
      .list()
      .filter((execution) => execution.state_machine_arn === resource.arn)
      .sort((one, other) => other.started_at - one.started_at || (one.arn < other.arn ? -1 : 1));
    // The token may name an execution that has another status by now, so the page is taken before the filter.
    const page = pageOf(
      executions,
      (execution) => execution.arn,
      request,
      (execution) => !status || execution.status === status,
    );
    return {
      executions: page.items.map((execution) => ({
        executionArn: execution.arn,
        stateMachineArn: execution.state_machine_arn,
        name: execution.name,
        status: execution.status,
        startDate: epochSeconds(execution.started_at),
        ...(execution.stopped_at === null ? {} : { stopDate: epochSeconds(execution.stopped_at) }),
        redriveCount: 0,
      })),
      nextToken: page.nextToken,
    };
  };
}
