import { StepFunctionsError } from '../errors.ts';

const violation = (value: unknown, field: string, constraint: string) =>
  new StepFunctionsError(
    'ValidationException',
    `1 validation error detected: Value ${value === undefined ? 'null' : `'${String(value)}'`} at '${field}' failed to satisfy constraint: ${constraint}`,
  );

const read = (input: unknown, field: string): unknown =>
  typeof input === 'object' && input !== null ? (input as Record<string, unknown>)[field] : undefined;

/** @throws {StepFunctionsError} ValidationException */
export function optionalText(input: unknown, field: string): string | undefined {
  const value = read(input, field) ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw violation(JSON.stringify(value), field, 'Member must be a string');
}

/** @throws {StepFunctionsError} ValidationException */
export function requiredText(input: unknown, field: string): string {
  const value = optionalText(input, field);
  if (value === undefined) throw violation(value, field, 'Member must not be null');
  return value;
}

/** @throws {StepFunctionsError} ValidationException */
export function optionalChoice<Choice extends string>(
  input: unknown,
  field: string,
  choices: readonly Choice[],
): Choice | undefined {
  const value = optionalText(input, field);
  const choice = choices.find((known) => known === value);
  if (value !== undefined && choice === undefined) {
    throw violation(value, field, `Member must satisfy enum value set: [${choices.join(', ')}]`);
  }
  return choice;
}

export const optionalFlag = (input: unknown, field: string): boolean => read(input, field) === true;

/** How many items a page has: 100 unless told, at most 1,000. @throws {StepFunctionsError} ValidationException */
export function pageSize(input: unknown): number {
  const value = read(input, 'maxResults') ?? 0;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 1000) {
    throw violation(value, 'maxResults', 'Member must be between 0 and 1000');
  }
  return value === 0 ? 100 : value;
}
