import * as z from 'zod';
import type { Row } from '../../wan/changes.ts';
import { type MediaRules, type MediaType, shorthandNames, shorthands } from '../../wan/media.ts';
import type { Deployment } from '../../wan/prices.ts';
import { requestSchemaOf } from '../../wan/validation/schema.ts';

type Schema = Record<string, unknown>;
type ObjectSchema = Schema & { properties: Record<string, Schema> };

/**
 * Returns the JSON Schema (2020-12) of requests for a model: the fields and values that it takes, with its defaults. A request that the
 * schema refuses is refused, unless the value is an empty text, which counts as a missing field. Rules that a schema cannot express, such as those of URLs and of files, are checked in addition.
 */
export function modelSchemaOf(row: Row, { watermark }: Pick<Deployment, 'watermark'>): Schema {
  const options = { io: 'input', unrepresentable: 'any' } as const;
  const schema = z.toJSONSchema(requestSchemaOf(row, 'video'), options) as unknown as ObjectSchema;
  const input = schema.properties.input as ObjectSchema;
  const parameters = schema.properties.parameters as ObjectSchema;
  const withDefaults = {
    resolution: { ...parameters.properties.resolution, default: row.default_resolution },
    duration: { ...parameters.properties.duration, default: row.durations.default },
    ...(watermark === 'always' ? { watermark: { const: true } } : {}),
  };
  return {
    ...schema,
    properties: {
      ...schema.properties,
      input: { ...input, anyOf: row.media.combinations.map(combinationSchema) },
      parameters: { ...parameters, properties: { ...parameters.properties, ...withDefaults } },
    },
  };
}

/** An input with all required types and no other than the optional ones. */
function combinationSchema({ required, optional }: MediaRules['combinations'][number]): Schema {
  const types = [...required, ...optional];
  const others = shorthandNames.filter((name) => !types.includes(shorthands[name]));
  const hasSomething = { anyOf: [{ required: ['prompt'] }, ...optional.map(given)] };
  return {
    allOf: required.length > 0 ? required.map(given) : [hasSomething],
    properties: {
      media: { items: { properties: { type: { enum: types } } } },
      ...Object.fromEntries(others.map((name) => [name, false])),
    },
  };
}

/** An input that has a medium of a type, by its short field or in the list. */
function given(type: MediaType): Schema {
  const listed = {
    required: ['media'],
    properties: { media: { contains: { properties: { type: { const: type } }, required: ['type'] } } },
  };
  const short = shorthandNames.find((name) => shorthands[name] === type);
  return short ? { anyOf: [{ required: [short] }, listed] } : listed;
}
