import type { SFNClient } from '@aws-sdk/client-sfn';
import type { LaneLimits } from '../shared/environment.ts';
import { laneOf, type Pace } from '../video/limits.ts';
import type { Table } from '../video/store.ts';
import { findModel, isModelName } from '../wan/catalogue.ts';
import type { Dispatcher } from './dispatch.ts';

/** A dispatcher from what a Lambda is told. */
export function dispatcherOf(
  environment: { STATE_MACHINE_ARN: string; LANE_LIMITS: LaneLimits },
  table: Table,
  client: Pick<SFNClient, 'send'>,
): Dispatcher {
  return {
    table,
    workflow: { client, stateMachineArn: environment.STATE_MACHINE_ARN },
    laneOf: (model) => catalogueLane(model, environment.LANE_LIMITS),
  };
}

/** A model's lane, as this deployment has it. @throws Error for a model that the catalogue does not have */
export function catalogueLane(model: string, limits: LaneLimits): Pace {
  if (!isModelName(model)) throw new Error(`There is no model ${model} in the catalogue, so it has no lane.`);
  return laneOf(findModel(model), limits);
}
