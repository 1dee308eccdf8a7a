import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { deadLetterQueue } from './dead-letters.ts';
import { copyResultAccess, deleteAccess, dispatchAccess, type Foundation, resultWriterAccess } from './foundation.ts';
import { executionsAccess, mergeAccess, sendAccess } from './grants.ts';
import { PipelineFunction } from './pipeline-function.ts';

/** What keeps the pipeline going by itself: waiting videos are dispatched each minute, and what died is found and resumed. */
export class Maintenance extends Construct {
  readonly dispatch: PipelineFunction<'dispatch'>;
  readonly sweep: PipelineFunction<'sweep'>;
  readonly deadLetters: Queue;

  /** @param dropQueue to which drops whose events were lost are sent */
  constructor(scope: Construct, id: string, foundation: Foundation, dropQueue: Queue) {
    super(scope, id);
    const deadLetters = deadLetterQueue(this);
    const { functions, stateMachine } = foundation;
    const dispatch = new PipelineFunction(this, 'dispatch', {
      ...functions,
      description: 'Starts the workflows of waiting videos as far as the lanes have permits',
      access: dispatchAccess(foundation, ['GetItem', 'UpdateItem']),
      timeout: Duration.minutes(1),
      deadLetters,
    });
    const sweep = new PipelineFunction(this, 'sweep', {
      ...functions,
      description:
        'Finds videos whose workflow died, resumes them, frees the permits of the dead, and finishes deletions',
      access: mergeAccess(
        dispatchAccess(foundation, ['GetItem', 'UpdateItem']),
        executionsAccess(this, stateMachine.name),
        deleteAccess(foundation),
        // Pending results, and the videos that are copied next to their images.
        resultWriterAccess(foundation),
        copyResultAccess(foundation),
        // Drops whose events were lost.
        sendAccess(dropQueue),
      ),
      // Ends before the next sweep begins.
      timeout: Duration.minutes(4),
      deadLetters,
    });
    this.dispatch = dispatch;
    this.sweep = sweep;
    this.deadLetters = deadLetters;

    new Rule(this, 'DispatchEachMinute', {
      description: 'Gives waiting videos their permits',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [target(dispatch, deadLetters, Duration.minutes(1))],
    });
    new Rule(this, 'SweepEveryFiveMinutes', {
      description: 'Looks for videos whose workflow died, and for deletions to finish',
      schedule: Schedule.rate(Duration.minutes(5)),
      targets: [target(sweep, deadLetters, Duration.minutes(5))],
    });
    new Rule(this, 'WorkflowDied', {
      description: 'A run of a video ended in a way that no Catch of the state machine sees',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { stateMachineArn: [stateMachine.arn], status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
      },
      targets: [target(sweep, deadLetters, Duration.hours(24))],
    });
  }
}

/** @param staleAfter when an event that could not be delivered is of no use any more, since a later one did the same work */
const target = (fn: PipelineFunction, deadLetters: Queue, staleAfter: Duration): LambdaFunction =>
  new LambdaFunction(fn.live, { deadLetterQueue: deadLetters, maxEventAge: staleAfter, retryAttempts: 185 });
