import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { pinLogicalId } from '../functions/logical-id.ts';
import { alarmDefinitions, type Watched } from './alarm-definitions.ts';

export interface AlarmsProps extends Watched {
  /** Told when an alarm rings. */
  readonly topic: Topic;
}

/** Whatever a person must know of before a user tells them. What to do about each is in docs/runbook.md. */
export class Alarms extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, { topic, ...watched }: AlarmsProps) {
    super(scope, id);
    const action = new SnsAction(topic);
    this.alarms = Object.entries(alarmDefinitions(watched)).map(
      ([name, { metric, meaning, fix, anchor, ...options }]) => {
        const alarm = new Alarm(this, name, {
          metric,
          comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
          threshold: 1,
          evaluationPeriods: 1,
          treatMissingData: TreatMissingData.NOT_BREACHING,
          alarmDescription: `${meaning} ${fix} See docs/runbook.md#${anchor}`,
          ...options,
        });
        // The alarm's name begins with it, so that who filters by names can go on doing so.
        pinLogicalId(alarm, `${name}Alarm`);
        alarm.addAlarmAction(action);
        return alarm;
      },
    );
  }
}
