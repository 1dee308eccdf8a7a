const unitMilliseconds: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * The period of a schedule expression, in milliseconds.
 * @throws Error for anything but `rate(…)`
 */
export function schedulePeriod(expression: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (!count || !unit || Number(count) === 0)
    throw new Error(`the schedule ${expression} is unknown: the local runtime knows rate(N minutes|hours|days)`);
  return Number(count) * unitMilliseconds[unit]!;
}
