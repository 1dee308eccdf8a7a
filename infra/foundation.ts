import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { indexes } from '../functions/shared/table-schema.ts';
import type { Configuration } from './config.ts';
import { type Access, settings, startAccess, tableAccess, together } from './grants.ts';
import type { FunctionSettings } from './pipeline-function.ts';
import type { Storage } from './storage.ts';

/** What every part of the stack stands on. */
export interface Foundation {
  readonly configuration: Configuration;
  readonly functions: FunctionSettings;
  readonly storage: Storage;
  readonly wanSecret: ISecret;
  readonly stateMachine: StateMachineAddress;
}

export interface StateMachineAddress {
  readonly name: string;
  readonly arn: string;
}

/**
 * The state machine's name and ARN before it exists: the only physical name of the stack. The functions that it calls must know
 * its ARN, since whoever frees a permit starts the next video; taken from the resource itself that would be a circle.
 */
export function stateMachineAddress(scope: Construct): StateMachineAddress {
  const stack = Stack.of(scope);
  const name = `${stack.stackName}-videos`;
  return {
    name,
    arn: stack.formatArn({
      service: 'states',
      resource: 'stateMachine',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      resourceName: name,
    }),
  };
}

/** What giving the next video its permit and starting its workflow takes. */
export function dispatchingAccess(
  { storage, stateMachine, configuration }: Foundation,
  actions: readonly ('GetItem' | 'PutItem' | 'UpdateItem')[],
): Access<{ TABLE_NAME: string; STATE_MACHINE_ARN: string; LANE_LIMITS: string }> {
  return together(
    tableAccess(storage.table, actions, indexes.byStatus.name),
    startAccess(stateMachine.arn),
    settings({ LANE_LIMITS: JSON.stringify(configuration.laneLimits) }),
  );
}
