import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import {
  DefinitionBody,
  JsonPath,
  LogLevel,
  StateMachine,
  Succeed,
  TaskInput,
  Timeout,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { acknowledgeWildcard } from '../functions/acknowledge.ts';
import type { Foundation } from '../functions/foundation.ts';
import { pinLogicalId } from '../functions/logical-id.ts';
import type { PipelineFunction } from '../functions/pipeline-function.ts';
import { dropTrouble, functionCutOff, lambdaService } from './retries.ts';

/**
 * The state machine by which an image without a prompt of its own waits for its sidecar: a wait that costs nothing while it lasts and
 * survives whatever happens, then the drop function again. Its input is the dropped object.
 */
export function dropWait(scope: Construct, foundation: Foundation, drop: PipelineFunction): StateMachine {
  const { configuration, functions, dropWait: address } = foundation;
  const logs = new LogGroup(scope, 'WaitLogs', {
    retention: functions.logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const take = new LambdaInvoke(scope, 'TakeDrop', {
    lambdaFunction: drop.live,
    payload: TaskInput.fromObject({ waited: true, object: JsonPath.entirePayload }),
    payloadResponseOnly: true,
    retryOnServiceExceptions: false,
    taskTimeout: Timeout.duration(drop.timeout.plus(Duration.seconds(20))),
  });
  for (const retry of [lambdaService, functionCutOff, dropTrouble]) take.addRetry(retry);
  const wait = new Wait(scope, 'WaitForSidecar', {
    time: WaitTime.duration(Duration.seconds(configuration.drop.sidecarSeconds)),
  });
  const machine = new StateMachine(scope, 'WaitStateMachine', {
    stateMachineName: address.name,
    comment: 'One image that waits for its sidecar',
    definitionBody: DefinitionBody.fromChainable(wait.next(take).next(new Succeed(scope, 'Taken'))),
    tracingEnabled: true,
    logs: { destination: logs, level: LogLevel.ALL, includeExecutionData: false },
  });
  pinLogicalId(machine, 'DropWaitStateMachine');
  acknowledgeWildcard(
    machine.role,
    '*',
    'Step Functions sets up log delivery, and sends traces to X-Ray, by actions that take no resource.',
  );
  return machine;
}
