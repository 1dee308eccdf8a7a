import * as z from 'zod';
import { type Issue, maxIssues, pointerTo, type Warning } from '../../shared/issues.ts';
import { isJsonObject } from '../../shared/json-body.ts';
import { meantField } from './field-names.ts';
import {
  inputFields,
  maxMetadataBytes,
  maxMetadataEntries,
  mediaEntryNames,
  metadataField,
  parameterFields,
  reservedMetadataNames,
} from './schema.ts';
import { webhookFields } from './webhook.ts';

export type RequestBody = {
  model: unknown;
  input: FieldsOf<typeof inputFields>;
  parameters: FieldsOf<typeof parameterFields>;
  metadata: Record<string, string>;
  /** `webhook_url` and `webhook_events`. */
  webhook: FieldsOf<typeof webhookFields>;
  issues: Issue[];
  warnings: Warning[];
};

const tooManyEntries: Issue = {
  pointer: '/metadata',
  code: 'metadata_too_large',
  message: `The metadata has more than ${maxMetadataEntries} entries. Leave some out.`,
};

const labelFields = { metadata: metadataField, ...webhookFields };
const topLevelFields = ['model', 'input', 'parameters', ...Object.keys(labelFields)];

/**
 * Reads the fields of a body: the valid values, and an issue for each other field. Rules of models are checked later.
 */
export function readBody(body: Readonly<Record<string, unknown>>, mode: 'strict' | 'tolerant'): RequestBody {
  const { model, input, parameters, ...others } = ownFields(body);
  const media = isJsonObject(input) ? readMediaEntries(input.media, mode) : noMedia;
  const ownInput = isJsonObject(input) ? ownFields(input) : {};
  if (media.entries !== undefined) ownInput.media = media.entries;
  const inputSection = readFilledFields(ownInput, inputFields, '/input', mode);
  const ownParameters = isJsonObject(parameters) ? parameters : {};
  const parameterSection = readFilledFields(ownParameters, parameterFields, '/parameters', mode);
  const tooMany = isJsonObject(others.metadata) && Object.keys(others.metadata).length > maxMetadataEntries;
  const ownLabels = tooMany ? { ...others, metadata: {} } : others;
  const labels = readFilledFields(ownLabels, labelFields, '', mode, topLevelFields);
  const { metadata = {}, ...webhook } = labels.values;
  return {
    model: mode === 'tolerant' && isEmpty(model) ? undefined : model,
    input: inputSection.values,
    parameters: parameterSection.values,
    metadata,
    webhook,
    issues: [
      ...inputIssues(input),
      ...inputSection.issues,
      ...media.issues,
      ...parametersIssues(parameters, mode),
      ...parameterSection.issues,
      ...labels.issues,
      ...(tooMany ? [tooManyEntries] : metadataIssues(others.metadata, metadata)),
    ],
    warnings: [...inputSection.warnings, ...media.warnings, ...parameterSection.warnings, ...labels.warnings],
  };
}

const noMedia = { entries: undefined, issues: [], warnings: [] };

/** Takes the unknown fields out of the entries of `media`: an issue each in strict mode, a warning in tolerant mode. */
function readMediaEntries(media: unknown, mode: 'strict' | 'tolerant') {
  if (!Array.isArray(media)) return { ...noMedia, entries: media };
  const found: Issue[] = [];
  const message = mode === 'strict' ? `Use ${mediaEntryNames.join(' and ')}.` : 'It was ignored.';
  const entries = media.map((entry: unknown, index) => {
    if (!isJsonObject(entry)) return entry;
    for (const name of Object.keys(entry)) {
      if (mediaEntryNames.includes(name) || found.length >= maxIssues) continue;
      const pointer = pointerTo(`/input/media/${index}`, name);
      found.push({ pointer, code: 'unknown_field', message: `This field is unknown. ${message}` });
    }
    return { type: entry.type, url: entry.url };
  });
  return { entries, issues: mode === 'strict' ? found : [], warnings: mode === 'strict' ? [] : found };
}

/** A copy without a prototype, so that "__proto__" is an ordinary field and no field is inherited. */
function ownFields(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.assign(Object.create(null), body);
}

/** For the message about an unknown field: the names that it lists, and the pointer of the field that a name may mean. */
interface FieldHints {
  known?: readonly string[];
  meantField?: (name: string) => string | undefined;
}

/**
 * Validates an object without its empty fields: programs send them for values that are not set. In strict mode only empty texts
 * count, for optional fields that are texts; in tolerant mode every empty value does, for every field.
 */
function readFilledFields<T extends Fields>(
  object: Readonly<Record<string, unknown>>,
  fields: T,
  pointer: string,
  mode: 'strict' | 'tolerant',
  known?: readonly string[],
): Section<T> {
  const own = ownFields(object);
  const empty = Object.keys(fields).filter(
    (name) =>
      isEmpty(own[name]) && (mode === 'tolerant' || (typeof own[name] === 'string' && isOptionalText(fields[name]))),
  );
  for (const name of empty) delete own[name];
  if (mode === 'tolerant' && pointer === '/input')
    for (const [name, value] of sdkFields) if (own[name] === value) delete own[name];
  const section = readFields(own, fields, pointer, mode, { meantField, ...(known ? { known } : {}) });
  const isMissing = (name: string) => section.issues.some((issue) => issue.pointer === pointerTo(pointer, name));
  const warnings = empty
    .filter((name) => !isMissing(name))
    .map((name) => ({
      pointer: pointerTo(pointer, name),
      code: 'empty_value',
      message: `"${name}" is empty and was ignored.`,
    }));
  return { ...section, warnings: [...warnings, ...section.warnings] };
}

/** Fields of `input` that the Python SDK of DashScope adds to every request, with its values. Wan ignores them. */
const sdkFields = Object.entries({ extend_prompt: true, function: 'video-synthesis' });

/** Null, blank text and an empty list. */
const isEmpty = (value: unknown): boolean =>
  value === null || (typeof value === 'string' && value.trim() === '') || (Array.isArray(value) && value.length === 0);

const isOptionalText = (schema: z.ZodType | undefined): boolean => {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : undefined;
  return inner instanceof z.ZodString || inner instanceof z.ZodEnum;
};

function inputIssues(input: unknown): Issue[] {
  if (isJsonObject(input)) return [];
  const code = input === undefined ? 'missing' : 'wrong_type';
  return [
    { pointer: '/input', code, message: 'Give "input" as an object with "img_url" or "media", and usually "prompt".' },
  ];
}

function parametersIssues(parameters: unknown, mode: 'strict' | 'tolerant'): Issue[] {
  if (isJsonObject(parameters) || parameters === undefined || (mode === 'tolerant' && isEmpty(parameters))) return [];
  return [{ pointer: '/parameters', code: 'wrong_type', message: 'Give "parameters" as an object, or leave it out.' }];
}

function metadataIssues(value: unknown, metadata: Record<string, string>): Issue[] {
  const reserved = isJsonObject(value) ? reservedMetadataNames.filter((name) => Object.hasOwn(value, name)) : [];
  const entries = Object.entries(metadata);
  const bytes = entries.reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0);
  const message = `The metadata has ${bytes} bytes; at most ${maxMetadataBytes} are accepted. Shorten it.`;
  return [
    ...reserved.map((name) => ({
      pointer: pointerTo('/metadata', name),
      code: 'invalid_name',
      message: 'This name is reserved. Choose another one.',
    })),
    ...entries.flatMap(([name, value]) => brokenText(pointerTo('/metadata', name), value)),
    ...(bytes > maxMetadataBytes ? [{ pointer: '/metadata', code: 'metadata_too_large', message }] : []),
  ];
}

type Fields = Readonly<Record<string, z.ZodType>>;

/** The valid values; invalid fields are missing here and described in `issues`. */
export type FieldsOf<T extends Fields> = { [Name in keyof T]?: z.output<T[Name]> };

type Section<T extends Fields> = { values: FieldsOf<T>; issues: Issue[]; warnings: Warning[] };

/** The issue of a string with a lone surrogate: JSON can contain one, but UTF-8 cannot, so the text would change. */
export function brokenText(pointer: string, text: string): Issue[] {
  if (!/\p{Surrogate}/u.test(text)) return [];
  const message = 'The text contains half a character (a lone surrogate). Remove it.';
  return [{ pointer, code: 'broken_text', message }];
}

/**
 * Validates the fields of an object one by one, so that one invalid field does not hide another.
 * In strict mode unknown fields are issues; in tolerant mode they are dropped with a warning, and null equals a missing field.
 */
export function readFields<T extends Fields>(
  object: Readonly<Record<string, unknown>>,
  fields: T,
  pointer: string,
  mode: 'strict' | 'tolerant',
  hints: FieldHints = {},
): Section<T> {
  const values: FieldsOf<T> = {};
  const issues: Issue[] = [];
  const warnings: Warning[] = [];
  for (const name of Object.keys(fields) as (keyof T & string)[]) {
    const schema = fields[name]!;
    const own = Object.hasOwn(object, name) ? object[name] : undefined;
    const value = own === null && mode === 'tolerant' ? undefined : own;
    const result = schema.safeParse(value);
    if (result.success) {
      if (result.data !== undefined) values[name] = result.data as z.output<T[typeof name]>;
    } else if (value === undefined) {
      const message = `"${name}" is missing. ${result.error.issues[0]!.message}`;
      issues.push({ pointer: pointerTo(pointer, name), code: 'missing', message });
    } else {
      for (const issue of result.error.issues) {
        const path = [name, ...issue.path.map(String)].reduce(pointerTo, pointer);
        issues.push({ pointer: path, code: codeOf(issue), message: messageOf(issue) });
      }
    }
  }
  const unknown = Object.keys(object).filter((name) => !Object.hasOwn(fields, name));
  const { known = Object.keys(fields), meantField } = hints;
  const advice = `Fields here are ${known.join(', ')}.`;
  for (const name of unknown.slice(0, maxIssues)) {
    const meant = meantField?.(name);
    const question = meant ? ` Did you mean ${meant}?` : '';
    const found = { pointer: pointerTo(pointer, name), code: 'unknown_field' };
    const path = found.pointer.slice(1).replaceAll('/', '.');
    if (mode === 'strict') issues.push({ ...found, message: `This field is unknown.${question} ${advice}` });
    else warnings.push({ ...found, message: `"${path}" is unknown and was ignored.${question}` });
  }
  return { values, issues, warnings };
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

/** zod nests the issue of an invalid record key inside another issue. */
function messageOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
}
