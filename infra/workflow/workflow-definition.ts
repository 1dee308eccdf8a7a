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
  /** Holds the items by which executions wait. */
  readonly table: ITable;
  readonly createTask: PipelineFunction;
  readonly checkTask: PipelineFunction;
  readonly archiveVideo: PipelineFunction;
  readonly recordFailure: PipelineFunction;
}

type Outcome = (CreateTaskOutput | CheckTaskOutput)['outcome'];

/**
 * A run of one video: CreateTask → WaitForEnd → CheckTask → back to sleep, or ArchiveVideo → Done; every failure passes
 * RecordFailure. Each task gets the state's input whole and its answer replaces it. A video that failed is an execution that
 * succeeded: only what no Catch sees ends one otherwise, and then the sweep hears of it.
 */
export function workflowDefinition(scope: Construct, steps: WorkflowSteps): Chain {
  const done = new Succeed(scope, 'Done');
  const recordFailure = task(scope, 'RecordFailure', steps.recordFailure, [unhandled]);
  recordFailure.next(done);

  const attempt = (id: string, step: PipelineFunction, retries: RetryProps[]) =>
    task(scope, id, step, retries).addCatch(recordFailure, { errors: ['States.ALL'], resultPath: '$.error' });
  const createTask = attempt('CreateTask', steps.createTask, [wanUnavailable, submissionUncertain, promptLocked]);
  const checkTask = attempt('CheckTask', steps.checkTask, [wanUnavailable, taskUnknown]);
  const archiveVideo = attempt('ArchiveVideo', steps.archiveVideo, [
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

/** The general retries come after a task's own: what is named first is matched first. */
function task(scope: Construct, id: string, step: PipelineFunction, retries: RetryProps[]): LambdaInvoke {
  const invocation = new LambdaInvoke(scope, id, {
    lambdaFunction: step.live,
    payloadResponseOnly: true,
    // The default adds a second block of retriers over the same errors.
    retryOnServiceExceptions: false,
    // The function's own timeout and room for a cold start: a lost answer must not hold the execution for ever.
    taskTimeout: Timeout.duration(step.timeout.plus(Duration.seconds(20))),
  });
  for (const retry of [...retries, lambdaService, functionCutOff, unexpectedError]) invocation.addRetry(retry);
  return invocation;
}

/** Where each outcome leads. Any other ends the execution with States.NoChoiceMatched. */
function choose(scope: Construct, id: string, ways: Partial<Record<Outcome, IChainable>>): Choice {
  const choice = new Choice(scope, id);
  for (const [outcome, next] of Object.entries(ways)) {
    choice.when(Condition.stringEquals(JsonPath.stringAt('$.outcome'), outcome), next);
  }
  return choice;
}
