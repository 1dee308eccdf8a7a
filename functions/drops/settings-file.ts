import { type Issue, pointerTo } from '../shared/issues.ts';
import { isJsonObject, parseJson, UnreadableJson } from '../shared/json-body.ts';
import { readBody, readFields } from '../wan/validation/body.ts';
import { inputFields, parameterFields } from '../wan/validation/schema.ts';
import { webhookFields } from '../wan/validation/webhook.ts';
import type { DropExtension } from './extend-drop.ts';
import { isNone } from './metadata-text.ts';
import { MAX_SETTINGS_BYTES } from './settings-purpose.ts';

/** The settings of one level: a part of the body of `POST /videos`. */
export interface SettingsBody {
  model?: unknown;
  input?: Readonly<Record<string, unknown>>;
  parameters?: Readonly<Record<string, unknown>>;
  metadata?: Readonly<Record<string, string>>;
  webhook_url?: unknown;
  webhook_events?: unknown;
  /** Distinguishes videos of the same image and request: 1, 2, … */
  take?: number;
  /** Of a sidecar: the video that this one continues, with the image as its last frame. */
  extends?: DropExtension;
}

/** Something that must be fixed before a drop can be accepted, and where: a file's key, or words for what is no file. */
export interface SettingsIssue extends Issue {
  place: string;
}

/** A sidecar or a `_defaults.json`, or all that is wrong with it. */
type SettingsFile = { ok: true; body: SettingsBody; sidecarRequired: boolean } | { ok: false; issues: Issue[] };

type Kind = 'sidecar' | 'defaults';

const bodyFields = ['model', 'input', 'parameters', 'metadata', ...Object.keys(webhookFields), 'take'];
const sidecarFields = [...bodyFields, 'extends', 'seconds_to_add'];
const { img_url, ...settableInput } = inputFields;

/**
 * Reads a settings file: the body of `POST /videos` without `img_url`, and `take`; a `_defaults.json` may also hold
 * `"sidecar": "required"`. Only the shape is checked: what the model accepts depends on the other levels.
 */
export function readSettingsFile(bytes: Uint8Array, kind: Kind): SettingsFile {
  const parsed = parse(bytes);
  if ('issue' in parsed) return { ok: false, issues: [{ pointer: '', ...parsed.issue }] };
  if (!isJsonObject(parsed.value)) {
    const message = 'Write a JSON object such as {"input": {"prompt": "The cat wakes up"}}.';
    return { ok: false, issues: [{ pointer: '', code: 'wrong_type', message }] };
  }
  const { model, sidecar, take, ...rest } = parsed.value;
  const extension = kind === 'sidecar' ? readExtension(rest) : { issues: [] };
  const input = section(rest, 'input');
  const parameters = section(rest, 'parameters');
  const { img_url: image, ...settable } = input.object;
  if (isNone(settable.negative_prompt)) settable.negative_prompt = '';
  const readInput = readFields(settable, settableInput, '/input', 'strict');
  const readParameters = readFields(parameters.object, parameterFields, '/parameters', 'strict');
  const labelNames = ['metadata', ...Object.keys(webhookFields)].filter((name) => name in rest);
  const ownLabels = Object.fromEntries(labelNames.map((name) => [name, rest[name]]));
  const labels = readBody({ input: { img_url: '' }, ...ownLabels }, 'strict');
  const issues = [
    ...(model === undefined || typeof model === 'string' ? [] : [modelIsNoText]),
    ...input.issues,
    ...(image === undefined ? [] : [imageInSettings]),
    ...(typeof settable.prompt === 'string' && isNone(settable.prompt) ? [promptIsNone] : []),
    ...readInput.issues,
    ...parameters.issues,
    ...readParameters.issues,
    ...labels.issues,
    ...(take === undefined || isTake(take) ? [] : [takeIsNoNumber]),
    ...extension.issues,
    ...(sidecar === undefined || (kind === 'defaults' && sidecar === 'required') ? [] : [sidecarIssue(kind)]),
    ...unknownFields(rest, kind),
  ];
  if (issues.length > 0) return { ok: false, issues };
  return {
    ok: true,
    body: {
      ...(model === undefined ? {} : { model }),
      input: readInput.values,
      parameters: readParameters.values,
      metadata: labels.metadata,
      ...labels.webhook,
      ...(isTake(take) ? { take } : {}),
      ...(extension.extends ? { extends: extension.extends } : {}),
    },
    sidecarRequired: sidecar === 'required',
  };
}

/** Reads `extends` and `seconds_to_add`, which belong together. */
function readExtension({ extends: id, seconds_to_add, parameters }: Record<string, unknown>): {
  extends?: DropExtension;
  issues: Issue[];
} {
  if (id === undefined && seconds_to_add === undefined) return { issues: [] };
  const issues: Issue[] = [];
  if (typeof id !== 'string') issues.push({ pointer: '/extends', ...extensionIssue(id, 'the "id" of a video') });
  const isCount = Number.isSafeInteger(seconds_to_add) && (seconds_to_add as number) >= 1;
  if (!isCount)
    issues.push({ pointer: '/seconds_to_add', ...extensionIssue(seconds_to_add, 'a whole number of seconds from 1') });
  if (isJsonObject(parameters) && parameters.duration !== undefined) {
    const message = '"seconds_to_add" determines the duration. Leave one of the two out.';
    issues.push({ pointer: '/parameters/duration', code: 'given_twice', message });
  }
  return issues.length > 0
    ? { issues }
    : { extends: { id: id as string, seconds_to_add: seconds_to_add as number }, issues };
}

const extensionIssue = (value: unknown, expected: string) => ({
  code: value === undefined ? 'missing' : 'wrong_type',
  message: `Give ${expected}: "extends" and "seconds_to_add" continue a video.`,
});

export const isTake = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;

function parse(bytes: Uint8Array): { value: unknown } | { issue: { code: string; message: string } } {
  const invalid = (message: string) => ({ issue: { code: 'invalid_json', message } });
  if (bytes.byteLength > MAX_SETTINGS_BYTES) {
    const message = `The file has more than ${MAX_SETTINGS_BYTES / 1024} KiB, the most that is read. Shorten it.`;
    return { issue: { code: 'settings_too_large', message } };
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return invalid(notUtf8);
  }
  // UTF-16 without a byte order mark is valid UTF-8.
  if (text.includes('\0')) return invalid(notUtf8);
  if (text.trim() === '') return invalid('The file is empty. Write a JSON object into it; {} sets nothing.');
  try {
    return { value: parseJson(text) };
  } catch (error) {
    if (!(error instanceof UnreadableJson)) throw error;
    return invalid(error.message);
  }
}

const notUtf8 = 'The file is not UTF-8. Save it as UTF-8.';

function section(
  body: Record<string, unknown>,
  name: 'input' | 'parameters',
): { object: Record<string, unknown>; issues: Issue[] } {
  const value = Object.hasOwn(body, name) ? body[name] : {};
  if (isJsonObject(value)) return { object: value, issues: [] };
  const message = `Give "${name}" as an object, or leave it out.`;
  return { object: {}, issues: [{ pointer: `/${name}`, code: 'wrong_type', message }] };
}

const modelIsNoText: Issue = { pointer: '/model', code: 'wrong_type', message: 'Give the name of a model.' };

export const takeIsNoNumber: Issue = {
  pointer: '/take',
  code: 'wrong_type',
  message: 'Give a whole number from 1: each number is another video of the same image and settings.',
};

const imageInSettings: Issue = {
  pointer: '/input/img_url',
  code: 'image_in_settings',
  message: 'The image is the one next to this file. Leave img_url out.',
};

const promptIsNone: Issue = {
  pointer: '/input/prompt',
  code: 'invalid_value',
  message: 'Programs write this text for a missing value. Write a prompt, or leave it out.',
};

const sidecarIssue = (kind: Kind): Issue => ({
  pointer: '/sidecar',
  code: kind === 'defaults' ? 'invalid_value' : 'unknown_field',
  message:
    kind === 'defaults'
      ? 'Write "required", or leave it out.'
      : 'Only a _defaults.json can make a folder wait for sidecars.',
});

const fieldsOf = (kind: Kind): string[] => (kind === 'defaults' ? [...bodyFields, 'sidecar'] : sidecarFields);

const unknownFields = (body: Record<string, unknown>, kind: Kind): Issue[] =>
  Object.keys(body)
    .filter((name) => !fieldsOf(kind).includes(name))
    .slice(0, 10)
    .map((name) => ({
      pointer: pointerTo('', name),
      code: 'unknown_field',
      message: `This field is unknown. Fields here are ${fieldsOf(kind).join(', ')}.`,
    }));
