import * as z from 'zod';
import { pointerTo } from '../shared/issues.ts';
import { isJsonObject } from '../shared/json-body.ts';
import { invalidRequest } from '../shared/problem.ts';
import { type FieldsOf, readFields } from '../wan/validation/body.ts';
import { inputFields, parameterFields } from '../wan/validation/schema.ts';
import { webhookFields } from '../wan/validation/webhook.ts';

const dryRun = z
  .boolean({ error: 'Give true or false.' })
  .meta({ description: 'Only checks and prices the request: the response is an estimate, and no video is created.' })
  .optional();
const model = z
  .string({ error: 'Give the name of a model.' })
  .meta({ description: "The model that makes the video. Default: the source's." })
  .optional();
const parameters = z.record(z.string(), z.unknown(), { error: 'Give "parameters" as an object.' });
const addError = 'Give a whole number of seconds, 1 or more.';

/** The body of `POST /videos/{id}/extend`. */
export const extensionFields = {
  prompt: inputFields.prompt
    .unwrap()
    .meta({ pattern: '\\S', description: 'What happens in the seconds that are added. Not blank.' }),
  seconds_to_add: z
    .int({ error: addError })
    .min(1, { error: addError })
    .max(60, { error: 'Give a whole number of seconds that the model offers together with its source.' })
    .meta({ description: 'Seconds to add. The source and they make one video, which is billed as a whole.' }),
  model,
  parameters: parameters
    .meta({ description: 'As of `POST /videos`, without `duration`. Missing ones are those of the source.' })
    .optional(),
  ...webhookFields,
  dry_run: dryRun,
};

/** The most variations of one request. */
const MAX_VARIATIONS = 4;
const countError = `Give a whole number from 1 to ${MAX_VARIATIONS}.`;

/** The body of `POST /videos/{id}/variations`. */
export const variationFields = {
  model,
  resolution: parameterFields.resolution,
  prompt: inputFields.prompt.unwrap().meta({ description: "Replaces the source's prompt." }).optional(),
  seed: parameterFields.seed,
  parameters: parameters
    .meta({ description: 'As of `POST /videos`. Missing ones are those of the source, if the model takes them.' })
    .optional(),
  n: z
    .int({ error: countError })
    .min(1, { error: countError })
    .max(MAX_VARIATIONS, { error: countError })
    .meta({ description: `How many videos, 1 to ${MAX_VARIATIONS}. With a seed, each has the next one. Default 1.` })
    .optional(),
  ...webhookFields,
  dry_run: dryRun,
};

export type Extension = Required<Pick<FieldsOf<typeof extensionFields>, 'prompt' | 'seconds_to_add'>> &
  FieldsOf<typeof extensionFields>;
export type Variation = FieldsOf<typeof variationFields>;

/** Reads the body of a derived video. @throws ProblemError 400 with all issues */
export function readDerivation(body: unknown, kind: 'extension'): Extension;
export function readDerivation(body: unknown, kind: 'variation'): Variation;
export function readDerivation(body: unknown, kind: 'extension' | 'variation'): Extension | Variation {
  if (!isJsonObject(body)) {
    throw invalidRequest([{ pointer: '', code: 'wrong_type', message: 'Give a JSON object.' }]);
  }
  const fields = kind === 'extension' ? extensionFields : variationFields;
  const { values, issues } = readFields(body, fields as typeof extensionFields, '', 'strict');
  const repeated =
    kind === 'extension' ? ['duration'] : (['resolution', 'seed'] as const).filter((name) => name in body);
  const given = isJsonObject(values.parameters) ? values.parameters : {};
  for (const name of repeated.filter((name) => Object.hasOwn(given, name))) {
    const instead = kind === 'extension' ? 'seconds_to_add' : name;
    const message = `"${instead}" determines this already. Leave one of the two out.`;
    issues.push({ pointer: pointerTo('/parameters', name), code: 'given_twice', message });
  }
  if (kind === 'extension' && values.prompt?.trim() === '') {
    issues.push({
      pointer: '/prompt',
      code: 'missing',
      message: 'Describe what happens in the seconds that are added.',
    });
  }
  if (issues.length > 0) throw invalidRequest(issues);
  return values as Extension | Variation;
}
