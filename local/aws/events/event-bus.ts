import type { Clock } from '../clock.ts';
import type { Queues } from '../sqs/queues.ts';
import { type BusEvent, busEvent } from './event.ts';
import { compilePattern } from './pattern.ts';

export const defaultBus = 'default';

/** A rule of an event bus. */
export interface RuleDefinition {
  name: string;
  arn: string;
  /** The name of its bus. */
  bus: string;
  event_pattern?: Record<string, unknown>;
  schedule_expression?: string;
  targets: readonly RuleTarget[];
}

export interface RuleTarget {
  /** A queue, or a Lambda function with or without a qualifier. */
  arn: string;
  /** Receives the events that the target did not accept. */
  dead_letter_arn?: string;
}

export interface EventBusOptions {
  clock: Clock;
  /** Names of the buses in addition to the default one. */
  buses: readonly string[];
  rules: readonly RuleDefinition[];
  /** Queues an event for a function. Once this resolves, the event survives a kill unless it is volatile. */
  accept(functionArn: string, payload: string, options: { volatile: boolean }): Promise<unknown>;
  queues: Queues;
}

/** EventBridge's event buses, with pattern rules and schedules. */
export interface EventBus {
  /** Whether there is a bus of this name. */
  has(name: string): boolean;
  /**
   * Delivers an event to the targets of all matching rules of a bus, at least once each.
   * Rejects if a target without a dead-letter queue does not accept it. The caller must then not acknowledge the event.
   */
  put(event: BusEvent, bus?: string): Promise<void>;
  /**
   * Starts the schedules. The first tick comes after a second, so that leftovers of a killed process are processed
   * soon.
   */
  start(): void;
  close(): void;
}

/** Leaves the processor to the start of the stack. */
const firstTickDelay = 1000;

/** @throws Error that names the rule, for an unsupported pattern or schedule */
export function createEventBus({ clock, buses, rules, accept, queues }: EventBusOptions): EventBus {
  const compiled = rules.map((rule) => {
    try {
      return {
        rule,
        matches: rule.event_pattern ? compilePattern(rule.event_pattern) : undefined,
        period: rule.schedule_expression === undefined ? undefined : schedulePeriod(rule.schedule_expression),
      };
    } catch (error) {
      throw new Error(`Rule ${rule.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
  const cancels = new Map<string, () => void>();

  const deliverEvent = async (
    { arn: rule, targets }: RuleDefinition,
    event: BusEvent,
    volatile: boolean,
  ): Promise<void> => {
    const payload = JSON.stringify(event);
    for (const { arn: target, dead_letter_arn } of targets) {
      try {
        await (isQueue(target) ? queues.send(target, payload) : accept(target, payload, { volatile }));
      } catch (error) {
        if (dead_letter_arn === undefined) throw error;
        await queues.send(dead_letter_arn, payload, {
          RULE_ARN: rule,
          TARGET_ARN: target,
          ERROR_CODE: error instanceof Error ? error.name : 'Error',
          ERROR_MESSAGE: error instanceof Error ? error.message : String(error),
        });
      }
    }
  };

  return {
    has: (name) => name === defaultBus || buses.includes(name),
    async put(event, bus = defaultBus) {
      const matching = compiled.filter(({ rule, matches }) => rule.bus === bus && matches?.(event));
      await Promise.all(matching.map(({ rule }) => deliverEvent(rule, event, false)));
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
          // A lost tick does no harm: the next one follows.
          deliverEvent(rule, event, true).catch((error: unknown) =>
            console.error(`Could not run the schedule of ${rule.name}:`, error),
          );
        };
        cancels.set(rule.name, clock.after(firstTickDelay, tick));
      }
    },
    close() {
      for (const cancel of cancels.values()) cancel();
    },
  };
}

export const isQueue = (arn: string): boolean => arn.startsWith('arn:aws:sqs:');

const unitMilliseconds: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Returns the period of a schedule expression in milliseconds.
 * @throws Error for anything but `rate(…)`
 */
export function schedulePeriod(expression: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (!count || !unit || Number(count) === 0)
    throw new Error(`the schedule ${expression} is not supported, only rate(N minutes|hours|days)`);
  return Number(count) * unitMilliseconds[unit]!;
}
