import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import { indexes } from '../../functions/shared/table-schema.ts';
import { type Foundation, queryRate } from '../functions/foundation.ts';
import { mergeAccess, tableAccess, wakeAccess, wanAccess } from '../functions/grants.ts';
import { PipelineFunction } from '../functions/pipeline-function.ts';

/** An event older than this is dropped, since the next minute starts another watcher. */
const staleAfter = Duration.seconds(60);

/** Creates the function that notices when tasks end and wakes their executions, and the rule that starts it each minute. */
export function watcher(scope: Construct, foundation: Foundation): PipelineFunction<'watch'> {
  const { configuration, functions, storage, stateMachine, wanSecret } = foundation;
  const watch = new PipelineFunction(scope, 'watch', {
    ...functions,
    description: 'Notices when tasks end at Wan and wakes their executions',
    access: mergeAccess(
      tableAccess(storage.table, ['GetItem', 'UpdateItem'], indexes.byStatus.name),
      wanAccess(wanSecret, configuration.wanBaseUrl),
      queryRate(configuration),
      wakeAccess(stateMachine.arn),
    ),
    // It ends by itself after 4 minutes.
    timeout: Duration.minutes(5),
    memory: 128,
    tracing: false,
    noDeadLetters: 'A missed start has no later use, since the next minute starts another watcher.',
  });
  watch.live.configureAsyncInvoke({ maxEventAge: staleAfter, retryAttempts: 0 });
  new Rule(scope, 'WatchEachMinute', {
    description: 'Starts a watcher, which takes over the lease of the previous one',
    schedule: Schedule.rate(Duration.minutes(1)),
    targets: [new LambdaFunction(watch.live, { maxEventAge: staleAfter, retryAttempts: 0 })],
  });
  return watch;
}
