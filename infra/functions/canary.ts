import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { Foundation } from './foundation.ts';
import { wanAccess } from './grants.ts';
import { PipelineFunction } from './pipeline-function.ts';

/** How often the canary looks: the alarms count in these steps. */
export const canaryPeriod = Duration.minutes(15);

/** Asks Wan now and then for something that costs nothing, so that a key that no longer works is known before a video needs it. */
export class Canary extends Construct {
  readonly canary: PipelineFunction<'canary'>;

  constructor(scope: Construct, id: string, { configuration, functions, wanSecret }: Foundation) {
    super(scope, id);
    this.canary = new PipelineFunction(this, 'canary', {
      ...functions,
      description: 'Asks Wan whether it serves this account, at no cost',
      access: wanAccess(wanSecret, configuration.wanBaseUrl),
      // The secret, and a question for which the client waits 10 s.
      timeout: Duration.seconds(30),
    });
    new Rule(this, 'LookAtWan', {
      description: 'Asks Wan whether it serves this account',
      schedule: Schedule.rate(canaryPeriod),
      // A look that could not be had is of no use later: no queue keeps it, and the next one tells the same.
      targets: [new LambdaFunction(this.canary.live, { retryAttempts: 0, maxEventAge: canaryPeriod })],
    });
  }
}
