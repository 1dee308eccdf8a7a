import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { deadLetterQueue } from './dead-letters.ts';
import { copyResultAccess, deleteAccess, dispatchAccess, type Foundation, resultWriterAccess } from './foundation.ts';
import { executionsAccess, mergeAccess, sendAccess, settings, webhookQueueAccess } from './grants.ts';
import { PipelineFunction } from './pipeline-function.ts';

const dispatchPeriod = Duration.minutes(1);

/** The scheduled functions: dispatch starts waiting videos and queues due webhooks each minute, and the sweep restarts videos whose executions died. */
export class Maintenance extends Construct {
  readonly dispatch: PipelineFunction<'dispatch'>;
  readonly sweep: PipelineFunction<'sweep'>;
  readonly deadLetters: Queue;

  /** @param dropQueue to which drops whose events were lost are sent */
  constructor(scope: Construct, id: string, foundation: Foundation, dropQueue: Queue) {
    super(scope, id);
    const { configuration, functions, stateMachine, webhookQueue, key } = foundation;
    const deadLetters = deadLetterQueue(this, key);
    const dispatch = new PipelineFunction(this, 'dispatch', {
      ...functions,
      description: 'Starts waiting videos while their model queues have permits, and queues the webhooks that are due',
      access: mergeAccess(
        dispatchAccess(foundation, ['GetItem', 'UpdateItem']),
        // Webhooks whose next attempt is due.
        webhookQueueAccess(webhookQueue),
      ),
      timeout: Duration.minutes(1),
      noDeadLetters: 'A missed dispatch has no later use, since the next minute starts another.',
    });
    // EventBridge's age ends when Lambda accepts the event, which may then wait in Lambda's queue for hours.
    dispatch.live.configureAsyncInvoke({ maxEventAge: dispatchPeriod, retryAttempts: 0 });
    const sweep = new PipelineFunction(this, 'sweep', {
      ...functions,
      description: 'Restarts videos whose executions died, releases lost permits, and finishes deletions',
      access: mergeAccess(
        dispatchAccess(foundation, ['GetItem', 'UpdateItem']),
        executionsAccess(this, stateMachine.name),
        deleteAccess(foundation),
        // Pending results, and videos to copy next to their images.
        resultWriterAccess(foundation),
        copyResultAccess(foundation),
        // Drops whose events were lost.
        sendAccess(dropQueue),
        settings({ DROP_RETENTION_DAYS: configuration.retention.drops?.toString() ?? '' }),
      ),
      // Ends before the next sweep starts.
      timeout: Duration.minutes(4),
      deadLetters,
    });
    this.dispatch = dispatch;
    this.sweep = sweep;
    this.deadLetters = deadLetters;

    new Rule(this, 'DispatchEachMinute', {
      description: 'Gives permits to waiting videos',
      schedule: Schedule.rate(dispatchPeriod),
      // A missed dispatch has no later use, since the next one does its work: no retries and no dead letters.
      targets: [new LambdaFunction(dispatch.live, { retryAttempts: 0, maxEventAge: dispatchPeriod })],
    });
    new Rule(this, 'SweepEveryFiveMinutes', {
      description: 'Finds videos whose executions died and deletions to finish',
      schedule: Schedule.rate(Duration.minutes(5)),
      targets: [target(sweep, deadLetters, Duration.minutes(5))],
    });
    new Rule(this, 'WorkflowDied', {
      description: 'Reports executions that ended without being caught by the state machine',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { stateMachineArn: [stateMachine.arn], status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
      },
      targets: [target(sweep, deadLetters, Duration.hours(24))],
    });
  }
}

/** @param staleAfter the age at which an undelivered event is useless, since a later one has done the same work */
const target = ({ live }: PipelineFunction, deadLetters: Queue, staleAfter: Duration): LambdaFunction =>
  new LambdaFunction(live, { deadLetterQueue: deadLetters, maxEventAge: staleAfter, retryAttempts: 185 });
