import { Duration } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import {
  type Chain,
  Choice,
  Condition,
  type IChainable,
  JsonPath,
  type RetryProps,
  Succeed,
  Timeout,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import type { CheckTaskOutput, CreateTaskOutput } from '../../functions/workflow/step-handler.ts';
import type { PipelineFunction } from '../functions/pipeline-function.ts';
import {
  archiveInterrupted,
  functionCutOff,
  lambdaService,
  promptLocked,
  submissionUncertain,
  taskUnknown,
  unexpectedError,
  unhandled,
  untrustedVideoHost,
  wanUnavailable,
} from './retries.ts';
import { waitForEnd } from './wait-for-end.ts';

export interface WorkflowSteps {
  /** The table with the wait items. */
  readonly table: ITable;
  readonly createTask: PipelineFunction;
  readonly checkTask: PipelineFunction;
  readonly archiveVideo: PipelineFunction;
  readonly recordFailure: PipelineFunction;
}

type Outcome = (CreateTaskOutput | CheckTaskOutput)['outcome'];

/**
 * Returns the definition of a video's run: CreateTask → WaitForEnd → CheckTask → back to WaitForEnd, or ArchiveVideo → Done. Every
 * failure passes RecordFailure. Each task gets the state's whole input, and its output replaces it. The execution of a failed video
 * succeeds. Only an error that no Catch handles fails an execution, and then the sweep is notified.
 */
export function workflowDefinition(scope: Construct, steps: WorkflowSteps): Chain {
  const done = new Succeed(scope, 'Done');
  const recordFailure = task(scope, 'RecordFailure', steps.recordFailure, [unhandled]);
  recordFailure.next(done);

  const taskWithCatch = (id: string, step: PipelineFunction, retries: RetryProps[]) =>
    task(scope, id, step, retries).addCatch(recordFailure, { errors: ['States.ALL'], resultPath: '$.error' });
  const createTask = taskWithCatch('CreateTask', steps.createTask, [wanUnavailable, submissionUncertain, promptLocked]);
  const checkTask = taskWithCatch('CheckTask', steps.checkTask, [wanUnavailable, taskUnknown]);
  const archiveVideo = taskWithCatch('ArchiveVideo', steps.archiveVideo, [
    wanUnavailable,
    taskUnknown,
    archiveInterrupted,
    untrustedVideoHost,
  ]);

  const wait = waitForEnd(scope, steps.table, checkTask);
  checkTask.next(
    choose(scope, 'TaskChecked', { running: wait, succeeded: archiveVideo, failed: recordFailure, settled: done }),
  );
  archiveVideo.next(done);
  return createTask.next(
    choose(scope, 'TaskCreated', { created: wait, succeeded: archiveVideo, failed: recordFailure, settled: done }),
  );
}

/** Creates a task state. The general retries follow the task's own, since Step Functions applies the first match. */
function task(scope: Construct, id: string, step: PipelineFunction, retries: RetryProps[]): LambdaInvoke {
  const invocation = new LambdaInvoke(scope, id, {
    lambdaFunction: step.live,
    payloadResponseOnly: true,
    // The default would add a second set of retriers for the same errors.
    retryOnServiceExceptions: false,
    // The function's timeout plus time for a cold start, so that a lost response does not block the execution.
    taskTimeout: Timeout.duration(step.timeout.plus(Duration.seconds(20))),
  });
  for (const retry of [...retries, lambdaService, functionCutOff, unexpectedError]) invocation.addRetry(retry);
  return invocation;
}

/** Creates a choice of the next state by outcome. An unknown outcome fails the execution with States.NoChoiceMatched. */
function choose(scope: Construct, id: string, transitions: Partial<Record<Outcome, IChainable>>): Choice {
  const choice = new Choice(scope, id);
  for (const [outcome, next] of Object.entries(transitions)) {
    choice.when(Condition.stringEquals(JsonPath.stringAt('$.outcome'), outcome), next);
  }
  return choice;
}
