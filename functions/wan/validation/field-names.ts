import { isNearName } from '../../shared/near-name.ts';
import { inputFields, parameterFields } from './schema.ts';
import { webhookFields } from './webhook.ts';

/** The sections of a body and their fields. */
const pointers: ReadonlyMap<string, string> = new Map([
  ...['model', 'input', 'parameters', 'metadata', ...Object.keys(webhookFields)].map(
    (name) => [name, `/${name}`] as const,
  ),
  ...Object.keys(inputFields).map((name) => [name, `/input/${name}`] as const),
  ...Object.keys(parameterFields).map((name) => [name, `/parameters/${name}`] as const),
]);

/** Names of other services for the same, without separators, in lower case. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  model: ['modelid', 'modelname', 'modelversion', 'engine'],
  input: ['inputs'],
  parameters: ['params', 'options', 'settings', 'config', 'arguments'],
  metadata: ['labels', 'tags'],
  webhook_url: ['webhook', 'callback', 'callbackurl', 'callbackuri', 'notifyurl', 'notificationurl', 'hookurl'],
  webhook_events: ['events', 'webhookeventsfilter', 'webhookfilter'],
  prompt: ['text', 'prompttext', 'textprompt', 'description', 'positiveprompt'],
  negative_prompt: ['negative', 'negativetext'],
  img_url: [
    ...['image', 'img', 'photo', 'firstframe', 'startframe', 'startimage', 'inputimage', 'promptimage'],
    ...[
      'imageurl',
      'imageuri',
      'firstframeurl',
      'firstframeimage',
      'startimageurl',
      'inputimageurl',
      'imgurls',
      'images',
    ],
  ],
  media: ['medialist', 'files', 'references'],
  last_frame_url: ['lastframe', 'lastimage', 'endframe', 'endimage', 'tailimage', 'endimageurl', 'lastimageurl'],
  audio_url: ['audiouri', 'audiofile', 'soundurl', 'music'],
  template: ['effect', 'templatename', 'videoeffect'],
  resolution: ['size', 'quality', 'videoresolution', 'outputresolution'],
  duration: ['seconds', 'length', 'durationseconds', 'videolength', 'numseconds'],
  prompt_extend: ['promptoptimizer', 'enhanceprompt', 'promptenhancement', 'promptexpansion', 'enablepromptexpansion'],
  watermark: ['addwatermark', 'enablewatermark'],
  seed: ['randomseed'],
  audio: ['generateaudio', 'withaudio'],
  ratio: ['aspectratio'],
  shot_type: ['shots', 'multishot'],
};

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
const byPlainName = new Map(
  [...pointers].flatMap(([name, pointer]) => [name, ...(otherNames[name] ?? [])].map((text) => [plain(text), pointer])),
);

/**
 * The field of a request that an unknown name probably means, as a JSON pointer: one of the same name in another section, of another
 * service's name, or of nearly the same name.
 */
export function meantField(name: string): string | undefined {
  const written = plain(name.slice(0, 64));
  const exact = byPlainName.get(written);
  if (exact) return exact;
  // Short names are near to too many others.
  const most = written.length < 4 ? 0 : written.length < 8 ? 1 : 2;
  return [...pointers].find(([known]) => most > 0 && isNearName(written, plain(known), most))?.[1];
}
