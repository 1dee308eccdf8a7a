import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { Foundation } from './foundation.ts';
import { wanAccess } from './grants.ts';
import { PipelineFunction } from './pipeline-function.ts';

/** The interval of the canary, which is also the period of its alarms. */
export const canaryPeriod = Duration.minutes(15);

/** Sends Wan a free request on a schedule, so that an invalid key is noticed before a video needs it. */
export class Canary extends Construct {
  readonly canary: PipelineFunction<'canary'>;

  constructor(scope: Construct, id: string, { configuration, functions, wanSecret }: Foundation) {
    super(scope, id);
    this.canary = new PipelineFunction(this, 'canary', {
      ...functions,
      description: 'Checks with a free request whether Wan serves this account',
      access: wanAccess(wanSecret, configuration.wanBaseUrl),
      // Time to read the secret, and for a request with a timeout of 10 s.
      timeout: Duration.seconds(30),
      noDeadLetters: 'A missed check has no later use, since the next one reports the same. Errors ring an alarm.',
    });
    // Bounds the wait in Lambda's own queue. Its retries stay: three errors of one check ring the alarm.
    this.canary.live.configureAsyncInvoke({ maxEventAge: canaryPeriod });
    new Rule(this, 'ProbeWan', {
      description: 'Checks whether Wan serves this account',
      schedule: Schedule.rate(canaryPeriod),
      // A missed check has no later use, since the next one reports the same: no retries and no dead letters.
      targets: [new LambdaFunction(this.canary.live, { retryAttempts: 0, maxEventAge: canaryPeriod })],
    });
  }
}
