import { type Issue, pointerTo } from '../shared/issues.ts';
import { parseJson, UnreadableJson } from '../shared/json-body.ts';
import { isJsonObject, readBody, readFields } from '../wan/validation/body.ts';
import { inputFields, parameterFields } from '../wan/validation/schema.ts';

/** A prompt and a negative prompt of the most characters that are taken, in any language, and some. */
export const MAX_SETTINGS_BYTES = 256 * 1024;

/** A sidecar or a `_defaults.json`, or all that is wrong with it. */
type SettingsFile = { ok: true; body: SettingsBody; sidecarRequired: boolean } | { ok: false; issues: Issue[] };

const bodyFields = ['model', 'input', 'parameters', 'metadata'];
const { img_url, ...settableInput } = inputFields;

/**
 * Reads a file that lies beside images: the body of `POST /videos` without `img_url`; a `_defaults.json` may also hold
 * `"sidecar": "required"`. Only its shape is checked: what a model takes shows when it is merged with what else there is.
 */
export function readSettingsFile(bytes: Uint8Array, kind: 'sidecar' | 'defaults'): SettingsFile {
  const parsed = parse(bytes);
  if ('fault' in parsed) return { ok: false, issues: [{ pointer: '', ...parsed.fault }] };
  if (!isJsonObject(parsed.value)) {
    const message = 'Write a JSON object such as {"input": {"prompt": "The cat wakes up"}}.';
    return { ok: false, issues: [{ pointer: '', code: 'wrong_type', message }] };
  }
  const { model, sidecar, ...rest } = parsed.value;
  const input = section(rest, 'input');
  const parameters = section(rest, 'parameters');
  const { img_url: image, ...settable } = input.object;
  const readInput = readFields(settable, settableInput, '/input', 'strict');
  const readParameters = readFields(parameters.object, parameterFields, '/parameters', 'strict');
  const labels = readBody(
    { input: { img_url: '' }, ...('metadata' in rest ? { metadata: rest.metadata } : {}) },
    'strict',
  );
  const issues = [
    ...(model === undefined || typeof model === 'string' ? [] : [modelIsNoText]),
    ...input.issues,
    ...(image === undefined ? [] : [imageInSettings]),
    ...readInput.issues,
    ...parameters.issues,
    ...readParameters.issues,
    ...labels.issues,
    ...(sidecar === undefined || (kind === 'defaults' && sidecar === 'required') ? [] : [sidecarViolation(kind)]),
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
    },
    sidecarRequired: sidecar === 'required',
  };
}

function parse(bytes: Uint8Array): { value: unknown } | { fault: { code: string; message: string } } {
  const invalid = (message: string) => ({ fault: { code: 'invalid_json', message } });
  if (bytes.byteLength > MAX_SETTINGS_BYTES) {
    const message = `The file has more than ${MAX_SETTINGS_BYTES / 1024} KiB, the most that is read. Shorten it.`;
    return { fault: { code: 'settings_too_large', message } };
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return invalid('The file is not UTF-8. Save it as UTF-8.');
  }
  if (text.trim() === '') return invalid('The file is empty. Write a JSON object into it; {} says nothing.');
  try {
    return { value: parseJson(text) };
  } catch (error) {
    if (!(error instanceof UnreadableJson)) throw error;
    return invalid(error.message);
  }
}

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

const imageInSettings: Issue = {
  pointer: '/input/img_url',
  code: 'image_in_settings',
  message: 'The image is the one that this file lies beside. Leave img_url out.',
};

const sidecarViolation = (kind: 'sidecar' | 'defaults'): Issue => ({
  pointer: '/sidecar',
  code: kind === 'defaults' ? 'invalid_value' : 'unknown_field',
  message:
    kind === 'defaults'
      ? 'Write "required", or leave it out.'
      : 'Only a _defaults.json may say that its folder waits for sidecars.',
});

const unknownFields = (body: Record<string, unknown>, kind: 'sidecar' | 'defaults'): Issue[] =>
  Object.keys(body)
    .filter((name) => !bodyFields.includes(name))
    .slice(0, 10)
    .map((name) => ({
      pointer: pointerTo('', name),
      code: 'unknown_field',
      message: `This field is unknown. Fields here are ${[...bodyFields, ...(kind === 'defaults' ? ['sidecar'] : [])].join(', ')}.`,
    }));

/** What one level says: a part of the body of `POST /videos`. */
export interface SettingsBody {
  model?: unknown;
  input?: Readonly<Record<string, unknown>>;
  parameters?: Readonly<Record<string, unknown>>;
  metadata?: Readonly<Record<string, string>>;
}

/** Something that must be mended before a drop can be taken, and where: a file's key, or words for what is no file. */
export interface SettingsIssue extends Issue {
  place: string;
}
