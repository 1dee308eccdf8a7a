import type { WorkflowInput } from '../../functions/queue/execution.ts';
import { errorNames } from '../../functions/shared/errors.ts';
import { type ArchiveServices, archiveVideo } from '../../functions/workflow/archive-video.ts';
import { type CheckTaskServices, checkTask } from '../../functions/workflow/check-task.ts';
import { type CreateTaskServices, createTask } from '../../functions/workflow/create-task.ts';
import { recordFailure } from '../../functions/workflow/record-failure.ts';
import type { RecordFailureInput } from '../../functions/workflow/step-handler.ts';

type Services = CreateTaskServices & CheckTaskServices & ArchiveServices;

export interface Surroundings {
  invoke: <Output>(run: (services: Services) => Promise<Output>) => Promise<Output>;
  wait: (seconds: number) => Promise<void>;
  /** Runs a duplicate invocation concurrently with everything else. */
  duplicate: (run: (services: Services) => Promise<unknown>) => void;
}

/** Retries per error name: fewer than in the real state machine, but with the same relative order. */
const maxRetries: Record<string, number> = {
  [errorNames.submissionUncertain]: 40,
  [errorNames.promptLocked]: 2,
  [errorNames.unhandled]: 0,
};

/** Runs one execution as the state machine does (`infra/workflow/workflow-definition.ts`). @returns its final status */
export async function playExecution(
  input: WorkflowInput,
  { invoke, wait, duplicate }: Surroundings,
): Promise<'SUCCEEDED' | 'FAILED'> {
  const attempt = async <Output>(state: (services: Services) => Promise<Output>): Promise<Output | Caught> => {
    for (let tries = 0; ; tries++) {
      try {
        return await invoke(state);
      } catch (error) {
        const name = error instanceof Error ? error.name : 'Error';
        if (tries >= (maxRetries[name] ?? 3)) return { caught: name };
        await wait(5);
      }
    }
  };
  const fail = async (error: RecordFailureInput['error']) => {
    const record = (each: Services) => recordFailure(each, { ...input, error });
    duplicate(record);
    return isCaught(await attempt(record)) ? 'FAILED' : 'SUCCEEDED';
  };

  const created = await attempt((each) => createTask(each, input));
  if (isCaught(created)) return fail({ Error: created.caught });
  if (created.outcome === 'settled') return 'SUCCEEDED';
  if (created.outcome === 'failed') return fail(created.error);
  for (;;) {
    await wait(5);
    const checked = await attempt((each) => checkTask(each, input));
    if (isCaught(checked)) return fail({ Error: checked.caught });
    if (checked.outcome === 'settled') return 'SUCCEEDED';
    if (checked.outcome === 'failed') return fail(checked.error);
    if (checked.outcome === 'succeeded') break;
  }
  const archived = await attempt((each) => archiveVideo(each, input));
  return isCaught(archived) ? fail({ Error: archived.caught }) : 'SUCCEEDED';
}

interface Caught {
  caught: string;
}
const isCaught = (output: object): output is Caught => 'caught' in output;
