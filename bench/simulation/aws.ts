import type { Platform } from '../../functions/entries/platform.ts';
import type { FunctionName } from '../../functions/shared/environment.ts';
import { type Count, HISTORY_EVENT_BYTES, LOG_LINE_BYTES, OWN_WORK_SECONDS } from './billed-units.ts';
import type { VirtualClock } from './clock.ts';
import type { Deployment } from './deployment.ts';
import { loadFunction, type SimulatedEnvironment } from './functions.ts';
import { createLambda, type Handler } from './lambda.ts';
import type { Latency } from './latency.ts';
import { errorLogger, lambdaClient, simulateEventBridge, simulateSecrets } from './platform.ts';
import { simulateStepFunctions } from './step-functions.ts';
import { simulateTable } from './table.ts';

/** What the parts of a simulation share. */
export interface SimulationContext {
  clock: VirtualClock;
  latency: Latency;
  random: () => number;
  /** Called for each billed amount. */
  count?: Count | undefined;
}

/**
 * Simulates the deployment's table, functions and state machine on the virtual clock.
 * @param external the parts of the platform that are not simulated here
 * @param overrides handlers that replace the deployed ones
 */
export async function simulateAws(
  context: SimulationContext,
  deployment: Deployment,
  external: Pick<Platform, 'fetch' | 's3' | 'recordMetric'> & {
    sqs: (accept: (event: object) => void) => Platform['sqs'];
    /** @default - the events have no receivers */
    eventBridge?: Platform['eventBridge'];
    /** @default - every webhook fails */
    sendWebhook?: Platform['sendWebhook'];
  },
  overrides: Partial<Record<FunctionName, Handler>> = {},
) {
  const { clock, latency, random, count } = context;
  const { dynamoDb, observer: table, updateItem } = await simulateTable(context, deployment.table);
  const errors: unknown[] = [];
  const countLogLine = () => count?.('logGigabyte', LOG_LINE_BYTES / 1e9);
  const lambda = createLambda(
    context,
    (name) => overrides[name] ?? loadFunction(environment, name),
    (name, milliseconds) => {
      const gigabytes = deployment.memoryOf(name) / 1024;
      count?.('lambdaRequest', 1);
      count?.('lambdaGigabyteSecond', (milliseconds / 1000 + OWN_WORK_SECONDS) * gigabytes);
      countLogLine();
    },
  );
  const stepFunctions = simulateStepFunctions(context, {
    stateMachines: deployment.stateMachines,
    updateItem,
    invoke: (arn, payload) => lambda.invoke(deployment.functionOf(arn), payload),
    onExecutionEnd({ status, name }) {
      const { transitions, history_events } = stepFunctions.executions().find((each) => each.name === name)!;
      count?.('stateTransition', transitions);
      count?.('logGigabyte', (history_events * HISTORY_EVENT_BYTES) / 1e9);
      if (status !== 'SUCCEEDED') errors.push(new Error(`The execution ${name} ended with ${status}.`));
    },
  });
  const environment: SimulatedEnvironment = {
    environmentOf: deployment.environmentOf,
    platform: {
      clock,
      random,
      fetch: external.fetch,
      logger: errorLogger(errors, countLogLine),
      dynamoDb,
      s3: external.s3,
      stepFunctions: stepFunctions.client,
      eventBridge: external.eventBridge ?? simulateEventBridge(latency, (events) => count?.('busEvent', events)),
      sqs: external.sqs((event) => lambda.accept('drop', event)),
      lambda: lambdaClient((name, event) => void latency('stepFunctions', async () => lambda.accept(name, event))),
      secrets: simulateSecrets(() => count?.('secretRead', 1)),
      recordMetric(...metric) {
        countLogLine();
        external.recordMetric(...metric);
      },
      sendWebhook:
        external.sendWebhook ?? (async () => ({ error: 'The simulation has no receivers.', milliseconds: 0 })),
    },
  };
  return {
    /** For the bench, whose calls take no time on the virtual clock. */
    table,
    /** As the functions see it: a call takes time and is counted. */
    dynamoDb,
    lambda,
    stepFunctions,
    /** Errors that no caller received. */
    unhandledErrors: (): unknown[] => [...errors, ...lambda.failedInvocations.map(({ error }) => error)],
  };
}
