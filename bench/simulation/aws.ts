import type { Platform } from '../../functions/entries/platform.ts';
import type { FunctionName } from '../../functions/shared/environment.ts';
import { type Count, HISTORY_EVENT_BYTES, LOG_LINE_BYTES, OWN_WORK_SECONDS } from './billed-units.ts';
import type { VirtualClock } from './clock.ts';
import type { Deployment } from './deployment.ts';
import { loadFunction, type World } from './functions.ts';
import { createLambda, type Handler } from './lambda.ts';
import type { Latency } from './latency.ts';
import { errorLogger, lambdaClient, simulateSecrets } from './platform.ts';
import { simulateStepFunctions } from './step-functions.ts';
import { simulateTable } from './table.ts';

/** What the parts of a simulation share. */
export interface Time {
  clock: VirtualClock;
  latency: Latency;
  random: () => number;
  /** Called with each amount that AWS bills. */
  count?: Count | undefined;
}

/**
 * The deployment's table, functions and state machine by the virtual clock.
 * @param outside what of the platform is not simulated here
 * @param instead handlers that take the place of the deployed ones
 */
export async function simulateAws(
  time: Time,
  deployment: Deployment,
  outside: Pick<Platform, 'fetch' | 's3' | 'recordMetric'> & {
    sqs: (accept: (event: object) => void) => Platform['sqs'];
  },
  instead: Partial<Record<FunctionName, Handler>> = {},
) {
  const { clock, latency, random, count } = time;
  const { dynamoDb, outside: table, updateItem } = await simulateTable(time, deployment.table);
  const errors: unknown[] = [];
  const logged = () => count?.('logGigabyte', LOG_LINE_BYTES / 1e9);
  const lambda = createLambda(
    time,
    (name) => instead[name] ?? loadFunction(world, name),
    (name, milliseconds) => {
      const gigabytes = deployment.memoryOf(name) / 1024;
      count?.('lambdaRequest', 1);
      count?.('lambdaGigabyteSecond', (milliseconds / 1000 + OWN_WORK_SECONDS) * gigabytes);
      logged();
    },
  );
  const stepFunctions = simulateStepFunctions(time, {
    stateMachines: deployment.stateMachines,
    updateItem,
    invoke: (arn, payload) => lambda.invoke(deployment.functionOf(arn), payload),
    ended({ status, name }) {
      const { transitions, history_events } = stepFunctions.executions().find((each) => each.name === name)!;
      count?.('stateTransition', transitions);
      count?.('logGigabyte', (history_events * HISTORY_EVENT_BYTES) / 1e9);
      if (status !== 'SUCCEEDED') errors.push(new Error(`The execution ${name} ended ${status}.`));
    },
  });
  const world: World = {
    environmentOf: deployment.environmentOf,
    platform: {
      clock,
      random,
      fetch: outside.fetch,
      logger: errorLogger(errors, logged),
      dynamoDb,
      s3: outside.s3,
      stepFunctions: stepFunctions.client,
      sqs: outside.sqs((event) => lambda.accept('drop', event)),
      lambda: lambdaClient((name, event) => void latency('stepFunctions', async () => lambda.accept(name, event))),
      secrets: simulateSecrets(() => count?.('secretRead', 1)),
      recordMetric(...figure) {
        logged();
        outside.recordMetric(...figure);
      },
    },
  };
  return {
    /** As seen from outside: looking at it takes no time. */
    table,
    lambda,
    stepFunctions,
    /** What went wrong without anybody waiting for it. */
    trouble: (): unknown[] => [...errors, ...lambda.dead.map(({ error }) => error)],
  };
}
