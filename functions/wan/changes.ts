import * as z from 'zod';
import { findModel, isModelName, type Model, type ModelName, models, resolutionNames } from './catalogue.ts';
import { currencies } from './regions.ts';

/**
 * What a deployment changes in the catalogue without a release, by the name of a model: in the file `catalogue.json` next to `cdk.json`,
 * and by `npm run catalogue` while it runs. A name that the catalogue does not have adds a row.
 */
export type CatalogueChanges = Readonly<Record<string, RowChange>>;
export type RowChange = z.infer<typeof rowChange>;

const positive = z.number({ error: 'must be a number above 0' }).positive({ error: 'must be a number above 0' });
const day = z.iso.date({ error: 'must be a date such as 2026-12-31' });
const modelName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, {
  error: 'must be the name of a model: 1 to 64 of a-z 0-9 . _ -',
});

const rowChange = z.strictObject({
  /** The model of the catalogue whose rules and wire format an added model has. */
  family: z.enum(models.map(({ name }) => name)).optional(),
  offered: z.boolean({ error: 'must be true or false' }).optional(),
  limits: z
    .strictObject({ submits_per_second: positive.optional(), concurrent_tasks: z.int().positive().optional() })
    .optional(),
  /** Per billed second. Prices in another currency than the region's do not count. */
  prices: z
    .strictObject({
      currency: z.enum(currencies),
      as_of: day,
      per_second: z.partialRecord(z.enum(resolutionNames), positive),
    })
    .optional(),
  typical_seconds: z.strictObject({ base: z.number().min(0), per_video_second: z.number().min(0) }).optional(),
  /** The first day (UTC) on which Wan no longer offers the model. `null` overrides the file. */
  retires_at: day.nullable().optional(),
  replaced_by: modelName.nullable().optional(),
});

/** The one schema of the file and of what the command stores. */
export const catalogueChanges = z.record(modelName, rowChange).superRefine((changes, context) => {
  const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  for (const [name, { family, replaced_by, prices }] of Object.entries(changes)) {
    const known = isModelName(name);
    if (!known && !family) refuse([name, 'family'], 'must name the model whose rules the added model has');
    if (known && family) refuse([name, 'family'], `must be left out: ${name} has rules of its own`);
    if (replaced_by && (replaced_by === name || !rowOf(replaced_by, changes)))
      refuse([name, 'replaced_by'], 'must name another model of the catalogue');
    const resolutions = rowOf(name, changes)?.resolutions ?? resolutionNames;
    for (const tier of Object.keys(prices?.per_second ?? {}))
      if (!resolutions.some((each) => each === tier))
        refuse([name, 'prices', 'per_second', tier], `must be left out: the model has ${resolutions.join(', ')}`);
  }
});

/** A model with what the deployment changes. */
export interface Row extends Model {
  family: ModelName;
  retires_at?: string;
  replaced_by?: string;
}

/** Returns the row of a name; undefined for an unknown name. */
export function rowOf(name: unknown, changes: CatalogueChanges = {}): Row | undefined {
  if (typeof name !== 'string') return undefined;
  const { family, limits, typical_seconds, retires_at, replaced_by }: RowChange = changeOf(name, changes);
  const base = findModel(isModelName(name) ? name : (family ?? ''));
  return (
    base && {
      ...base,
      name,
      family: base.name,
      rate_limits: { ...base.rate_limits, ...limits },
      ...(typical_seconds ? { typical_seconds } : {}),
      ...(retires_at ? { retires_at } : {}),
      ...(replaced_by ? { replaced_by } : {}),
    }
  );
}

export const changeOf = (name: string, changes: CatalogueChanges): RowChange =>
  Object.hasOwn(changes, name) ? changes[name]! : {};

/** Every model: those of the catalogue, then the added ones. */
export const rowNames = (changes: CatalogueChanges): string[] => [
  ...models.map(({ name }) => name),
  ...Object.keys(changes).filter((name) => !isModelName(name)),
];

/** Changes on top of others: each property of a row replaces that of the same row. */
export const mergeChanges = (first: CatalogueChanges, second: CatalogueChanges): CatalogueChanges => ({
  ...first,
  ...Object.fromEntries(
    Object.entries(second).map(([name, change]) => [name, { ...changeOf(name, first), ...change }]),
  ),
});

const DAY_MILLISECONDS = 24 * 3600_000;
const NOTICE_DAYS = 30;

/** Whether a model is retired, or will be within 30 days. @param now milliseconds since 1970 */
export function retirementOf({ retires_at }: Pick<Row, 'retires_at'>, now: number): 'retired' | 'soon' | undefined {
  if (retires_at === undefined) return undefined;
  const left = Date.parse(retires_at) - now;
  if (left <= 0) return 'retired';
  return left <= NOTICE_DAYS * DAY_MILLISECONDS ? 'soon' : undefined;
}
