import type { Context } from 'aws-lambda';
import { composeCatalogue, composeVideos } from '../../functions/entries/api.ts';
import { composeDrop } from '../../functions/entries/drops.ts';
import { composeDispatch, composeSweep } from '../../functions/entries/maintenance.ts';
import type { Platform } from '../../functions/entries/platform.ts';
import { composeDeliver } from '../../functions/entries/webhooks.ts';
import {
  composeArchiveVideo,
  composeCheckTask,
  composeCreateTask,
  composeRecordFailure,
  composeWatch,
} from '../../functions/entries/workflow.ts';
import { type Environment, type FunctionName, readEnvironment } from '../../functions/shared/environment.ts';
import type { Handler } from './lambda.ts';

/** The environment of simulated functions: the template's variables, and a platform that replaces AWS, Wan and the clock. */
export interface SimulatedEnvironment {
  environmentOf: (name: FunctionName) => NodeJS.ProcessEnv;
  platform: Platform;
}

/** Returns what a container does when it loads the entry of a function. */
const loaderOf =
  <Name extends FunctionName>(
    name: Name,
    compose: (
      environment: Environment<Name>,
      platform: Platform,
    ) => (event: never, context: Context) => Promise<unknown>,
  ) =>
  ({ environmentOf, platform }: SimulatedEnvironment): Handler => {
    // A client per container, since some code caches values by client.
    const dynamoDb = { send: platform.dynamoDb.send } as Platform['dynamoDb'];
    const handler = compose(readEnvironment(name, environmentOf(name)), { ...platform, dynamoDb });
    return (event) => handler(event, {} as Context);
  };

/** The simulated functions. */
const simulated: Partial<Record<FunctionName, (environment: SimulatedEnvironment) => Handler>> = {
  catalogue: loaderOf('catalogue', composeCatalogue),
  videos: loaderOf('videos', composeVideos),
  drop: loaderOf('drop', composeDrop),
  deliver: loaderOf('deliver', composeDeliver),
  dispatch: loaderOf('dispatch', composeDispatch),
  'create-task': loaderOf('create-task', composeCreateTask),
  'check-task': loaderOf('check-task', composeCheckTask),
  'archive-video': loaderOf('archive-video', composeArchiveVideo),
  'record-failure': loaderOf('record-failure', composeRecordFailure),
  sweep: loaderOf('sweep', composeSweep),
  watch: loaderOf('watch', composeWatch),
};

export const isSimulated = (name: FunctionName): boolean => simulated[name] !== undefined;

/** Loads a function as a container does. @throws Error for a function that is not simulated */
export function loadFunction(environment: SimulatedEnvironment, name: FunctionName): Handler {
  const load = simulated[name];
  if (!load) throw new Error(`The simulation has no function ${name}.`);
  return load(environment);
}
