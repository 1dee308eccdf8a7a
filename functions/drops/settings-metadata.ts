import { readMetadataText } from './metadata-text.ts';
import type { SettingsBody } from './settings.ts';

const asText = (text: string) => text;
const asFlag = (text: string) => (text === 'true' ? true : text === 'false' ? false : text);
const asNumber = (text: string) => (/^\d+$/.test(text) ? Number(text) : text);

interface Field {
  at: 'body' | 'input' | 'parameters';
  name: string;
  /** The value, or the text itself where it is none: the check of the request says what is wrong with it. */
  read: (text: string) => unknown;
}

/** Settings that an image may carry as `x-amz-meta-…`: where each goes in the body of `POST /videos`, and how its text is read. */
const metadataFields: ReadonlyMap<string, Field> = new Map([
  ['model', { at: 'body', name: 'model', read: asText }],
  ['prompt', { at: 'input', name: 'prompt', read: asText }],
  ['negative-prompt', { at: 'input', name: 'negative_prompt', read: asText }],
  ['audio-url', { at: 'input', name: 'audio_url', read: asText }],
  ['template', { at: 'input', name: 'template', read: asText }],
  ['resolution', { at: 'parameters', name: 'resolution', read: asText }],
  ['duration', { at: 'parameters', name: 'duration', read: asNumber }],
  ['prompt-extend', { at: 'parameters', name: 'prompt_extend', read: asFlag }],
  ['shot-type', { at: 'parameters', name: 'shot_type', read: asText }],
  ['watermark', { at: 'parameters', name: 'watermark', read: asFlag }],
  ['seed', { at: 'parameters', name: 'seed', read: asNumber }],
  ['audio', { at: 'parameters', name: 'audio', read: asFlag }],
]);

/**
 * What an object's metadata says of its video. A field's name may be written with hyphens or, as in the API, with underscores.
 * Metadata of other names is somebody else's and is passed over, and so is a blank prompt, template or sound: programs send fields
 * that nobody filled in, and a video without a prompt would be paid for.
 */
export function settingsOfMetadata(metadata: Readonly<Record<string, string>>): SettingsBody {
  const own: Record<Field['at'], Record<string, unknown>> = { body: {}, input: {}, parameters: {} };
  for (const [name, value] of Object.entries(metadata)) {
    const field = metadataFields.get(name.toLowerCase().replaceAll('_', '-'));
    const text = readMetadataText(value);
    if (field && !(field.at === 'input' && text.trim() === '')) own[field.at][field.name] = field.read(text);
  }
  return { ...own.body, input: own.input, parameters: own.parameters };
}
