import type { Issue, Warning } from '../shared/issues.ts';
import { isNearName } from '../shared/near-name.ts';
import { decodePercent, isNone, readMetadataText } from './metadata-text.ts';
import { isTake, type SettingsBody, takeIsNoNumber } from './settings-file.ts';

const asText = (text: string) => text;
const asFlag = (text: string) => (text === 'true' ? true : text === 'false' ? false : text);
const asNumber = (text: string) => (/^\d+$/.test(text) ? Number(text) : text);

interface Field {
  at: 'body' | 'input' | 'parameters';
  name: string;
  /** The value, or the text itself where it is not one: the check of the request explains what is wrong with it. */
  read: (text: string) => unknown;
}

/** Settings that an image may carry as `x-amz-meta-…`: where each goes in the body of `POST /videos`, and how its text is read. */
const metadataFields: ReadonlyMap<string, Field> = new Map([
  ['model', { at: 'body', name: 'model', read: asText }],
  ['webhook-url', { at: 'body', name: 'webhook_url', read: asText }],
  ['webhook-events', { at: 'body', name: 'webhook_events', read: asText }],
  ['prompt', { at: 'input', name: 'prompt', read: asText }],
  ['negative-prompt', { at: 'input', name: 'negative_prompt', read: asText }],
  ['audio-url', { at: 'input', name: 'audio_url', read: asText }],
  ['last-frame-url', { at: 'input', name: 'last_frame_url', read: asText }],
  ['template', { at: 'input', name: 'template', read: asText }],
  ['resolution', { at: 'parameters', name: 'resolution', read: asText }],
  ['duration', { at: 'parameters', name: 'duration', read: (text) => (text === '-1' ? -1 : asNumber(text)) }],
  ['prompt-extend', { at: 'parameters', name: 'prompt_extend', read: asFlag }],
  ['shot-type', { at: 'parameters', name: 'shot_type', read: asText }],
  ['watermark', { at: 'parameters', name: 'watermark', read: asFlag }],
  ['ratio', { at: 'parameters', name: 'ratio', read: asText }],
  ['seed', { at: 'parameters', name: 'seed', read: asNumber }],
  ['audio', { at: 'parameters', name: 'audio', read: asFlag }],
]);

/** Names that sync programs, gateways and mounts write on each object. */
const namesOfPrograms =
  /^(?:[abcmu]-?time|uid|gid|mode|rdev|xattr|perm(?:ission)?s|s3cmd-attrs|md5.*|sha\d*.*|src-last-modified.*|(?:file|goog|cb|s3b|hdi|user-agent|aws-datasync)(?:-.*)?)$/;

/** Settings in metadata. */
interface MetadataSettings {
  body: SettingsBody;
  /** Why the metadata cannot be read as it was meant. */
  issues: Issue[];
  warnings: Warning[];
}

/**
 * Reads the settings in an object's metadata. A field's name may be written with hyphens or, as in the API, with underscores. A name
 * that is nearly one of these is an issue, since the default would be paid for; any other is ignored with a warning. A blank prompt,
 * template or address is ignored, and so is `None` or `null`: programs send fields that were never filled in.
 */
export function settingsOfMetadata(metadata: Readonly<Record<string, string>>): MetadataSettings {
  const own: Record<Field['at'], Record<string, unknown>> = { body: {}, input: {}, parameters: {} };
  let take: number | undefined;
  const issues: Issue[] = [];
  const unknown: string[] = [];
  for (const [written, value] of Object.entries(metadata)) {
    const name = written.toLowerCase().replaceAll('_', '-');
    const field = metadataFields.get(name);
    const text = readMetadataText(value);
    if (name === 'take') {
      if (isTake(asNumber(text))) take = Number(text);
      else issues.push(takeIsNoNumber);
    } else if (!field) {
      const meant = nearField(name);
      if (meant) issues.push(misspelt(written, meant));
      else if (!namesOfPrograms.test(name)) unknown.push(written);
    } else if (field.at !== 'input' && !(name.startsWith('webhook') && isBlank(text))) {
      own[field.at][field.name] = field.read(text);
    } else if (!isBlank(text)) {
      const plain = name.endsWith('prompt') ? decodePercent(text) : text;
      if (plain === undefined) issues.push({ pointer: `/input/${field.name}`, ...encodedText });
      else own.input[field.name] = plain;
    }
  }
  return {
    body: { ...own.body, input: own.input, parameters: own.parameters, ...(take === undefined ? {} : { take }) },
    issues,
    warnings: unknown.length > 0 ? [unknownNames(unknown)] : [],
  };
}

const isBlank = (text: string): boolean => text.trim() === '' || isNone(text);

/** The field that an unknown name was probably meant to be. A short name is near too many words, and never holds a prompt. */
function nearField(name: string): string | undefined {
  if (namesOfPrograms.test(name)) return undefined;
  const letters = name.replaceAll('-', '');
  const near = [...metadataFields.keys()].find(
    (known) =>
      known.length > 4 && known !== 'ratio' && isNearName(letters, known.replaceAll('-', ''), known.length > 5 ? 2 : 1),
  );
  return near ?? (letters.includes('prompt') ? 'prompt' : undefined);
}

const misspelt = (name: string, meant: string): Issue => ({
  pointer: '',
  code: 'metadata_misspelt',
  message: `The name ${cut(name)} is unknown. Write ${meant}, or leave it out. Names here are ${[...metadataFields.keys(), 'take'].join(', ')}.`,
});

const encodedText = {
  code: 'encoded_text',
  message:
    'The text is encoded in a way that cannot be decoded, or is cut off. Send plain text, all of it percent-encoded, an RFC 2047 encoded word in UTF-8, or a sidecar.',
};

const unknownNames = (names: readonly string[]): Warning => ({
  pointer: '',
  code: 'unknown_metadata',
  message: `Metadata of these names is no setting and was ignored: ${names.slice(0, 10).map(cut).join(', ')}${names.length > 10 ? ', …' : ''}.`,
});

/** A name in a message; control characters and length are the sender's. */
const cut = (name: string): string => JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name);
