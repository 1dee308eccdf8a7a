import { type ImageLimits, inspectImage, type RotatedImages } from '../media/image.ts';
import { maxIssues, type Warning } from '../shared/issues.ts';
import type { Failure, ObjectVersion, RecordedMedia, VideoRecord } from '../video/record.ts';
import { models } from '../wan/catalogue.ts';
import { rowOf } from '../wan/changes.ts';
import { type Deployment, estimatedCost } from '../wan/prices.ts';
import { readBody } from '../wan/validation/body.ts';
import { checkRequest } from '../wan/validation/request.ts';
import { checkWebhook } from '../wan/validation/webhook.ts';
import type { DroppedObject } from './dropped-object.ts';
import type { ContinuedVideo } from './extend-drop.ts';
import type { GatheredSettings, MergedSettings } from './settings.ts';
import type { SettingsIssue } from './settings-file.ts';

/** The part of a video's record that depends on its request: checked, or as given with the reason why it was refused. */
type CheckedDrop = Pick<
  VideoRecord,
  'model' | 'family' | 'input' | 'parameters' | 'metadata' | 'webhook' | 'warnings' | 'estimated_cost'
> & {
  error?: Failure;
};

interface DropToCheck {
  merged: MergedSettings;
  /** The name by which a person knows each level. */
  places: GatheredSettings['places'];
  /** What is already known to be wrong. */
  issues: readonly SettingsIssue[];
  warnings: readonly Warning[];
  /** The image and, if there is one, the last frame, each with its bytes or the first part of them. */
  files: readonly { object: DroppedObject; bytes: Uint8Array }[];
  /** The video that it continues; the image is its last frame then. */
  continued?: ContinuedVideo | undefined;
}

interface DropCheckRules {
  trustedOrigins: readonly string[];
  deployment: Deployment;
  rotatedImages?: RotatedImages | undefined;
  /** @default false */
  loopbackWebhooks?: boolean | undefined;
}

/** Of an unknown model's name, this many characters are kept: an owner's list shows it. */
const MAX_MODEL = 100;

/** The version of an object that a record names. */
export const versionOf = ({ bucket, key, version_id }: DroppedObject): ObjectVersion => ({
  bucket,
  key,
  ...(version_id ? { version_id } : {}),
});

const urlOf = ({ bucket, key }: DroppedObject): string => `s3://${bucket}/${key}`;

/**
 * Checks the settings and the files of a drop, all in any case, so that all issues are reported together. When a settings file is
 * broken, the settings that are left are not checked.
 */
export function checkDrop(
  { merged: { request, settings }, places, issues, warnings, files, continued }: DropToCheck,
  { trustedOrigins, deployment, rotatedImages, loopbackWebhooks = false }: DropCheckRules,
): CheckedDrop {
  const [image, lastFrame] = files;
  const { img_url, prompt } = request.input;
  const media = Array.isArray(request.input.media) ? request.input.media : [];
  const listed = lastFrame ? [...media, { type: 'last_frame', url: urlOf(lastFrame.object) }] : media;
  const { img_url: _, ...input } = request.input;
  const clip = continued && { type: continued.clip.type, url: continued.clip.url };
  const urls = [...files.map(({ object }) => urlOf(object)), ...(clip ? [clip.url] : [])];
  const body = continued
    ? {
        ...request,
        input: { ...input, media: [...listed, clip, { type: 'last_frame', url: img_url }] },
        parameters: { ...continued.parameters, ...request.parameters, duration: continued.parameters.duration },
      }
    : { ...request, input: { ...request.input, media: listed } };
  const ownsS3Url = (url: string) => urls.includes(url);
  const rules = { trustedOrigins, ownsS3Url, maxInlineBytes: 0, deployment, loopbackWebhooks };
  const checked = checkRequest(body, { mode: 'strict', ...rules });
  const limits = rowOf(request.model, deployment.changes)?.image;
  const inspected = files.map(({ object, bytes }) => ({
    object,
    place: object === image?.object ? THE_IMAGE : object.key,
    ...inspectImage(bytes, object.size, limits, rotatedImages),
  }));
  if (checked.ok && inspected.every(({ ok }) => ok) && issues.length === 0) {
    const { model, family, input, parameters, metadata, webhook } = checked.request;
    const recorded = input.media.map((item): RecordedMedia => {
      if (continued && item.url === clip?.url) return continued.clip;
      const found = inspected.find(({ object }) => urlOf(object) === item.url);
      return found?.ok ? { ...item, file: { ...versionOf(found.object), ...found.facts } } : item;
    });
    const measured = recorded.map(({ type, file }) => ({ type, duration_seconds: file?.duration_seconds }));
    const price = estimatedCost(checked.request, measured, deployment);
    return {
      model,
      ...(family ? { family } : {}),
      input: { ...input, media: recorded },
      parameters,
      metadata,
      ...(webhook ? { webhook } : {}),
      warnings: [
        ...warnings,
        ...(continued?.warnings ?? []),
        ...checked.warnings,
        ...inspected.flatMap((file, index) =>
          (file.ok ? file.warnings : []).map((warning) => ({ pointer: pointers[index]!, ...warning })),
        ),
      ],
      ...(price ? { estimated_cost: price } : {}),
    };
  }
  const placed = (pointer: string): string => {
    if (lastFrame && pointer === `/input/media/${media.length}/url`) return lastFrame.object.key;
    const level = settings[pointer];
    return level ? places[level] : 'the settings';
  };
  const { webhook } = checkWebhook(readBody(body, 'tolerant').webhook, loopbackWebhooks);
  return {
    model: String(request.model).slice(0, MAX_MODEL),
    input: {
      ...(typeof prompt === 'string' && prompt ? { prompt } : {}),
      media: [{ type: 'first_frame', url: img_url }],
    },
    parameters: {},
    metadata: request.metadata,
    // A refused drop is an ending too.
    ...(webhook ? { webhook } : {}),
    warnings: [...warnings],
    error: invalidDropFailure([
      ...inspected.flatMap(({ place, ...file }) =>
        (file.ok ? [] : file.issues).map((issue) => ({ place, pointer: '', ...issue })),
      ),
      ...issues,
      ...(checked.ok || issues.length > 0
        ? []
        : checked.issues.map((issue) => ({ place: placed(issue.pointer), ...issue }))),
    ]),
  };
}

/** Where the files are in a request. */
const pointers = ['/input/img_url', '/input/last_frame_url'];

const limitsOfModels = models.map(({ image }) => image);
/** What at least one of the models accepts. */
const widestLimits: ImageLimits = {
  min_side: Math.min(...limitsOfModels.map(({ min_side }) => min_side)),
  max_side: Math.max(...limitsOfModels.map(({ max_side }) => max_side)),
  max_bytes: Math.max(...limitsOfModels.map(({ max_bytes }) => max_bytes)),
};

/** Whether any settings can make a video of an image: one that no model accepts need not wait for them. */
export const isOfUse = (bytes: Uint8Array, size: number, rotatedImages?: RotatedImages): boolean =>
  inspectImage(bytes, size, widestLimits, rotatedImages).ok;

/** The image itself, as a place. */
const THE_IMAGE = 'the image';

/** The failure of a drop that cannot be accepted: what is wrong (the first 50 issues), place by place, and what to fix. */
export function invalidDropFailure(all: readonly SettingsIssue[]): Failure {
  const issues = all.slice(0, maxIssues);
  const places = [...new Set(issues.map(({ place }) => place))];
  const sentences = places.map((place) => {
    const found = issues.filter((issue) => issue.place === place);
    const messages = found.map(({ pointer, message }) => (pointer ? `${pointer}: ${message}` : message)).join(' ');
    return place === THE_IMAGE ? messages : `In ${place}: ${messages}`;
  });
  return {
    code: issues[0]?.code ?? 'invalid_request',
    message: sentences.join(' '),
    retryable: false,
    billed: false,
    hint: `Fix ${places.join(' and ')}, then upload the image again.`,
  };
}
