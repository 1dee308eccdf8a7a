import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { pinLogicalId } from '../functions/logical-id.ts';
import { alarmDefinitions, type MonitoredConstructs } from './alarm-definitions.ts';

export interface AlarmsProps extends MonitoredConstructs {
  /** Notified when an alarm rings. */
  readonly topic: Topic;
}

/** Alarms for everything that an operator must know before users report it. docs/runbook.md describes what to do about each. */
export class Alarms extends Construct {
  readonly alarms: readonly Alarm[];

  constructor(scope: Construct, id: string, { topic, ...monitored }: AlarmsProps) {
    super(scope, id);
    const action = new SnsAction(topic);
    this.alarms = Object.entries(alarmDefinitions(monitored)).map(
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
        // The alarm's name starts with the logical id, so that filters by name keep working.
        pinLogicalId(alarm, `${name}Alarm`);
        alarm.addAlarmAction(action);
        return alarm;
      },
    );
  }
}
