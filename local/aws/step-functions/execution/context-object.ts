import type { JsonObject, StateMachineResource } from '../contract.ts';
import { executionInContext } from '../definition/engine-state.ts';
import type { Execution } from './execution.ts';

/** The context object (`$$`) of an execution, the same in every state and after a restart. */
export function contextObject(execution: Execution, resource: StateMachineResource | undefined): JsonObject {
  return {
    [executionInContext]: {
      Id: execution.arn,
      Name: execution.name,
      Input: JSON.parse(execution.input),
      StartTime: new Date(execution.started_at).toISOString(),
      RoleArn: resource?.role_arn ?? '',
      RedriveCount: 0,
    },
    StateMachine: {
      Id: execution.state_machine_arn,
      Name: execution.state_machine_arn.split(':').at(-1) ?? '',
    },
  };
}
