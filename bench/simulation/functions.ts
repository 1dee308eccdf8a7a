import type { Context } from 'aws-lambda';
import { composeDrop } from '../../functions/entries/drops.ts';
import { composeDispatch, composeSweep } from '../../functions/entries/maintenance.ts';
import type { Platform } from '../../functions/entries/platform.ts';
import {
  composeArchiveVideo,
  composeCheckTask,
  composeCreateTask,
  composeRecordFailure,
  composeWatch,
} from '../../functions/entries/workflow.ts';
import { type Environment, type FunctionName, readEnvironment } from '../../functions/shared/environment.ts';
import type { Handler } from './lambda.ts';

/** What functions run on here: the template's variables, and a platform in the place of AWS, Wan and the clock. */
export interface World {
  environmentOf: (name: FunctionName) => NodeJS.ProcessEnv;
  platform: Platform;
}

/** What a container of a function does when it loads the entry. */
const loading =
  <Name extends FunctionName>(
    name: Name,
    compose: (
      environment: Environment<Name>,
      platform: Platform,
    ) => (event: never, context: Context) => Promise<unknown>,
  ) =>
  ({ environmentOf, platform }: World): Handler => {
    // What code remembers by its client is a container's own.
    const dynamoDb = { send: platform.dynamoDb.send } as Platform['dynamoDb'];
    const handler = compose(readEnvironment(name, environmentOf(name)), { ...platform, dynamoDb });
    return (event) => handler(event, {} as Context);
  };

/** The functions that take part in a simulation. */
const simulated: Partial<Record<FunctionName, (world: World) => Handler>> = {
  drop: loading('drop', composeDrop),
  dispatch: loading('dispatch', composeDispatch),
  'create-task': loading('create-task', composeCreateTask),
  'check-task': loading('check-task', composeCheckTask),
  'archive-video': loading('archive-video', composeArchiveVideo),
  'record-failure': loading('record-failure', composeRecordFailure),
  sweep: loading('sweep', composeSweep),
  watch: loading('watch', composeWatch),
};

export const isSimulated = (name: FunctionName): boolean => simulated[name] !== undefined;

/** @throws Error for a function that takes no part in a simulation */
export function loadFunction(world: World, name: FunctionName): Handler {
  const load = simulated[name];
  if (!load) throw new Error(`The simulation has no function ${name}.`);
  return load(world);
}
