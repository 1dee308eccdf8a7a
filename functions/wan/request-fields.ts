import type * as z from 'zod';
import { maxViolations, pointerTo, type Violation, type Warning } from './violations.ts';

type Fields = Readonly<Record<string, z.ZodType>>;

/** The fields that are sound, each on its own; the others are explained in `violations`. */
export type FieldsOf<T extends Fields> = { [Name in keyof T]?: z.output<T[Name]> };

type Section<T extends Fields> = { values: FieldsOf<T>; violations: Violation[]; warnings: Warning[] };

/** True for a JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is wrong with a text that is kept or passed on. JSON can hold half of a surrogate pair; UTF-8 can't, so another text would be. */
export function brokenText(pointer: string, text: string): Violation[] {
  if (!/\p{Surrogate}/u.test(text)) return [];
  const message = 'The text holds half a character (a lone surrogate). Remove it.';
  return [{ pointer, code: 'broken_text', message }];
}

/**
 * Reads an object's fields one by one, so that one broken field hides no other.
 *
 * Strict: unknown fields are violations. Tolerant: they are dropped with a
 * warning, and null is the same as left out.
 */
export function readFields<T extends Fields>(
  object: Readonly<Record<string, unknown>>,
  fields: T,
  pointer: string,
  mode: 'strict' | 'tolerant',
): Section<T> {
  const values: FieldsOf<T> = {};
  const violations: Violation[] = [];
  const warnings: Warning[] = [];
  for (const name of Object.keys(fields) as (keyof T & string)[]) {
    const schema = fields[name]!;
    const own = Object.hasOwn(object, name) ? object[name] : undefined;
    const value = own === null && mode === 'tolerant' ? undefined : own;
    const result = schema.safeParse(value);
    if (result.success) {
      if (result.data !== undefined) values[name] = result.data as z.output<T[typeof name]>;
    } else if (value === undefined) {
      violations.push({
        pointer: pointerTo(pointer, name),
        code: 'missing',
        message: `"${name}" is missing. ${result.error.issues[0]!.message}`,
      });
    } else {
      for (const issue of result.error.issues) {
        const path = issue.path.reduce<string>(
          (parent, part) => pointerTo(parent, String(part)),
          pointerTo(pointer, name),
        );
        violations.push({ pointer: path, code: codeOf(issue), message: messageOf(issue) });
      }
    }
  }
  const unknown = Object.keys(object).filter((name) => !Object.hasOwn(fields, name));
  for (const name of unknown.slice(0, maxViolations)) {
    const known = Object.keys(fields).join(', ');
    if (mode === 'tolerant') {
      warnings.push({
        pointer: pointerTo(pointer, name),
        code: 'unknown_field',
        message: 'This field is unknown and was ignored.',
      });
    } else {
      violations.push({
        pointer: pointerTo(pointer, name),
        code: 'unknown_field',
        message: `This field is unknown. Fields here are ${known}.`,
      });
    }
  }
  return { values, violations, warnings };
}

function codeOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return 'wrong_type';
    case 'too_small':
    case 'too_big':
      return 'out_of_range';
    case 'invalid_key':
      return 'invalid_name';
    default:
      return 'invalid_value';
  }
}

/** A record's bad key is an issue within an issue. */
function messageOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
}
