import { optionalText, requiredText } from './parameters.ts';
import { epochSeconds, existingExecution, type Services } from './services.ts';

/** Ends an execution as ABORTED. One that has ended before keeps its end, and its date is answered. */
export function stopExecution(services: Pick<Services, 'executions' | 'runner' | 'clock'>) {
  return async (request: unknown) => {
    const execution = existingExecution(services, requiredText(request, 'executionArn'));
    const error = optionalText(request, 'error') ?? null;
    const cause = optionalText(request, 'cause') ?? null;
    services.runner.end(execution, { status: 'ABORTED', error, cause });
    return { stopDate: epochSeconds(execution.stopped_at ?? services.clock.now()) };
  };
}
