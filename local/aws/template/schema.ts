import * as z from 'zod';

/** Text. Accepts numbers and booleans too, as CloudFormation does. */
export const text = z.union([z.string(), z.number(), z.boolean()], 'must be text').transform(String);

/** Text that matches a pattern. */
export const textLike = (pattern: RegExp, message: string) => text.refine((value) => pattern.test(value), message);

/** A number within bounds, also as text. */
export function number(minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY) {
  const message = `must be a number from ${minimum} to ${maximum}`;
  return z.preprocess(
    (value) => (typeof value === 'string' && value !== '' ? Number(value) : value),
    z.number(message).min(minimum, message).max(maximum, message),
  );
}

/** A boolean, also as text. */
export const boolean = z.preprocess(
  (value) => (value === 'true' || value === 'false' ? value === 'true' : value),
  z.boolean('must be true or false'),
);

/** One of the given constants. The runtime supports no other value of the property. */
export const oneOf = <const Value extends string>(...values: Value[]) =>
  z.literal(values, {
    error: ({ input }) => `${JSON.stringify(input)} is not supported, only ${values.join(', ')}`,
  });

/** A property that the runtime accepts and ignores. `reason` documents why that is safe. */
export const ignored = (_reason: string) => z.unknown().optional();

/** The tags of a resource, a property of many types. */
export const tags = { Tags: ignored('nothing here is found or billed by its tags') };

/** Describes each issue with the path of its property. */
export function describeIssues({ issues }: z.ZodError): string[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => `the property ${[...issue.path, key].join('.')} is not supported`)
      : `the property ${issue.path.join('.')}: ${issue.message}`,
  );
}
