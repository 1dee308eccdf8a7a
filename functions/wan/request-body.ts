import { brokenText, type FieldsOf, isJsonObject, readFields } from './request-fields.ts';
import {
  inputFields,
  maxMetadataBytes,
  maxMetadataEntries,
  metadataField,
  parameterFields,
  reservedMetadataNames,
  webhookField,
} from './request-schema.ts';
import { pointerTo, type Violation, type Warning } from './violations.ts';

export type RequestBody = {
  model: unknown;
  input: FieldsOf<typeof inputFields>;
  parameters: FieldsOf<typeof parameterFields>;
  metadata: Record<string, string>;
  webhook_url: string | undefined;
  violations: Violation[];
  warnings: Warning[];
};

const tooManyEntries: Violation = {
  pointer: '/metadata',
  code: 'metadata_too_large',
  message: `The metadata has more than ${maxMetadataEntries} entries. Leave some out.`,
};

const labelFields = { metadata: metadataField, webhook_url: webhookField };

/**
 * Reads the shape of a body: each known field that is sound by itself, and what
 * is wrong with the others. What a model takes isn't known here.
 */
export function readBody(body: Readonly<Record<string, unknown>>, mode: 'strict' | 'tolerant'): RequestBody {
  const { model, input, parameters, ...others } = ownFields(body);
  const inputSection = readFields(isJsonObject(input) ? input : { img_url: '' }, inputFields, '/input', mode);
  const parameterSection = readFields(isJsonObject(parameters) ? parameters : {}, parameterFields, '/parameters', mode);
  const tooMany = isJsonObject(others.metadata) && Object.keys(others.metadata).length > maxMetadataEntries;
  const labels = readFields(tooMany ? { ...others, metadata: {} } : others, labelFields, '', mode);
  const { metadata = {}, webhook_url } = labels.values;
  if (!isJsonObject(input)) delete inputSection.values.img_url;
  return {
    model,
    input: withoutBlankPrompts(inputSection.values),
    parameters: parameterSection.values,
    metadata,
    webhook_url,
    violations: [
      ...inputViolations(input),
      ...inputSection.violations,
      ...parametersViolations(parameters, mode),
      ...parameterSection.violations,
      ...labels.violations,
      ...(tooMany ? [tooManyEntries] : metadataViolations(others.metadata, metadata)),
    ],
    warnings: [...inputSection.warnings, ...parameterSection.warnings, ...labels.warnings],
  };
}

/** A copy without a prototype: a body's "__proto__" is a field like any other, and no field is inherited. */
function ownFields(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.assign(Object.create(null), body);
}

/** A prompt of spaces is no prompt. */
function withoutBlankPrompts(input: RequestBody['input']): RequestBody['input'] {
  if (input.prompt?.trim() === '') delete input.prompt;
  if (input.negative_prompt?.trim() === '') delete input.negative_prompt;
  return input;
}

function inputViolations(input: unknown): Violation[] {
  if (isJsonObject(input)) return [];
  const code = input === undefined ? 'missing' : 'wrong_type';
  return [{ pointer: '/input', code, message: 'Give "input" as an object with "img_url" and, as a rule, "prompt".' }];
}

function parametersViolations(parameters: unknown, mode: 'strict' | 'tolerant'): Violation[] {
  if (isJsonObject(parameters) || parameters === undefined || (parameters === null && mode === 'tolerant')) return [];
  return [{ pointer: '/parameters', code: 'wrong_type', message: 'Give "parameters" as an object, or leave it out.' }];
}

function metadataViolations(given: unknown, metadata: Record<string, string>): Violation[] {
  const reserved = isJsonObject(given) ? reservedMetadataNames.filter((name) => Object.hasOwn(given, name)) : [];
  const entries = Object.entries(metadata);
  const bytes = entries.reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0);
  const message = `The metadata has ${bytes} bytes; at most ${maxMetadataBytes} are kept. Shorten it.`;
  return [
    ...reserved.map((name) => ({
      pointer: pointerTo('/metadata', name),
      code: 'invalid_name',
      message: 'Choose another name for this.',
    })),
    ...entries.flatMap(([name, value]) => brokenText(pointerTo('/metadata', name), value)),
    ...(bytes > maxMetadataBytes ? [{ pointer: '/metadata', code: 'metadata_too_large', message }] : []),
  ];
}
