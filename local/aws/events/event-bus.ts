import type { Clock } from '../clock.ts';
import type { Queues } from '../sqs/queues.ts';
import { type BusEvent, busEvent } from './event.ts';
import { compilePattern } from './pattern.ts';
import { schedulePeriod } from './schedule.ts';

/** A rule of the default bus, as the template declares it. */
export interface RuleDefinition {
  name: string;
  arn: string;
  event_pattern?: Record<string, unknown>;
  schedule_expression?: string;
  targets: readonly RuleTarget[];
}

export interface RuleTarget {
  /** A Lambda function, with or without a qualifier. */
  function_arn: string;
  /** Gets what could not be handed over. */
  dead_letter_arn?: string;
}

export interface EventBusOptions {
  clock: Clock;
  rules: readonly RuleDefinition[];
  /** Hands an event to a function for good: unless it is volatile, a kill can't lose it once the promise resolves. */
  accept(functionArn: string, payload: string, options: { volatile: boolean }): Promise<unknown>;
  queues: Queues;
}

/** EventBridge's default bus: rules by pattern and by schedule. */
export interface EventBus {
  /**
   * Hands an event to the targets of every rule that matches it. When this resolves, each will get it at least once.
   * Rejects when a target without a dead-letter queue could not take it: then the caller must not acknowledge it.
   */
  put(event: BusEvent): Promise<void>;
  /** Starts the schedules. The first tick comes after a second, so that what a killed process left is picked up soon. */
  start(): void;
  close(): void;
}

/** Whoever waits for the start gets the processor first. */
const firstTickMilliseconds = 1000;

/** @throws Error that names the rule, for a pattern or schedule the local runtime does not know */
export function createEventBus({ clock, rules, accept, queues }: EventBusOptions): EventBus {
  const compiled = rules.map((rule) => {
    try {
      return {
        rule,
        matches: rule.event_pattern ? compilePattern(rule.event_pattern) : undefined,
        period: rule.schedule_expression === undefined ? undefined : schedulePeriod(rule.schedule_expression),
      };
    } catch (error) {
      throw new Error(`The rule ${rule.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  const cancels = new Map<string, () => void>();

  const deliver = async ({ arn, targets }: RuleDefinition, event: BusEvent, volatile: boolean): Promise<void> => {
    const payload = JSON.stringify(event);
    for (const { function_arn, dead_letter_arn } of targets) {
      try {
        await accept(function_arn, payload, { volatile });
      } catch (error) {
        if (dead_letter_arn === undefined) throw error;
        await queues.send(dead_letter_arn, payload, {
          RULE_ARN: arn,
          TARGET_ARN: function_arn,
          ERROR_CODE: error instanceof Error ? error.name : 'Error',
          ERROR_MESSAGE: error instanceof Error ? error.message : String(error),
        });
      }
    }
  };

  return {
    async put(event) {
      const matching = compiled.filter(({ matches }) => matches?.(event));
      await Promise.all(matching.map(({ rule }) => deliver(rule, event, false)));
    },
    start() {
      for (const { rule, period } of compiled) {
        if (period === undefined) continue;
        const tick = () => {
          cancels.set(rule.name, clock.after(period, tick));
          const event = busEvent(
            { source: 'aws.events', 'detail-type': 'Scheduled Event', resources: [rule.arn], detail: {} },
            clock.now(),
          );
          // A tick that is lost, with the process or without, is made good by the next one.
          deliver(rule, event, true).catch((error: unknown) => console.error(`The rule ${rule.name}:`, error));
        };
        cancels.set(rule.name, clock.after(firstTickMilliseconds, tick));
      }
    },
    close() {
      for (const cancel of cancels.values()) cancel();
    },
  };
}
