import { Duration } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Canary } from '../functions/canary.ts';
import type { Drops } from '../functions/drops.ts';
import { pinLogicalId } from '../functions/logical-id.ts';
import type { Upkeep } from '../functions/upkeep.ts';
import {
  type AlarmDefinition,
  apiFails,
  canaryFails,
  canaryIsSilent,
  deadLetters,
  dropsWaitLong,
  functionFails,
  functionIsSilent,
  laneHeld,
  runsFail,
  runsTimeOut,
  tasksAboveOne,
  tasksUnwatched,
  untrustedHost,
  upstreamExpiry,
  wanThrottles,
} from './alarm-definitions.ts';

/** What is watched. */
export interface Watched {
  readonly restApi: RestApi;
  readonly stateMachine: StateMachine;
  readonly drops: Drops;
  readonly upkeep: Upkeep;
  readonly canary: Canary;
}

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
    this.alarms = Object.entries(definitions(watched)).map(([name, { metric, means, mend, anchor, ...options }]) => {
      const alarm = new Alarm(this, name, {
        metric,
        alarmDescription: `${means} ${mend} See docs/runbook.md#${anchor}`,
        ...options,
      });
      // The alarm's name begins with it, so that who filters by names can go on doing so.
      pinLogicalId(alarm, `${name}Alarm`);
      alarm.addAlarmAction(action);
      return alarm;
    });
  }
}

const definitions = ({ restApi, stateMachine, drops, upkeep, canary }: Watched): Record<string, AlarmDefinition> => ({
  UpstreamTasksAboveOne: tasksAboveOne(),
  LaneHeld: laneHeld(),
  UntrustedVideoHost: untrustedHost(),
  UpstreamExpiryNear: upstreamExpiry(),
  TasksUnwatched: tasksUnwatched(),
  WanThrottles: wanThrottles(),
  CanaryFails: canaryFails(),
  CanarySilent: canaryIsSilent(),
  DropDeadLetters: deadLetters(drops.deadLetters, 'drops'),
  UpkeepDeadLetters: deadLetters(upkeep.deadLetters, 'the dispatch or the sweep'),
  WorkflowFails: runsFail(stateMachine),
  WorkflowTimesOut: runsTimeOut(stateMachine),
  DropsWaitLong: dropsWaitLong(drops),
  DropFails: functionFails(drops.drop, 'drop'),
  DispatchFails: functionFails(upkeep.dispatch, 'dispatch'),
  SweepFails: functionFails(upkeep.sweep, 'sweep'),
  CanaryBreaks: functionFails(canary.canary, 'canary'),
  DispatchSilent: functionIsSilent(upkeep.dispatch, 'dispatch', Duration.minutes(15)),
  SweepSilent: functionIsSilent(upkeep.sweep, 'sweep', Duration.minutes(30)),
  ApiFails: apiFails(restApi),
});
