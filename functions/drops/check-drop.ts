import { type ImageLimits, inspectImage, type RotatedImages } from '../media/image.ts';
import { maxIssues, type Warning } from '../shared/issues.ts';
import type { Failure, StoredImage, VideoRecord } from '../video/record.ts';
import { findModel, offeredModelNames } from '../wan/catalogue.ts';
import { estimatedCost } from '../wan/prices.ts';
import type { Region } from '../wan/regions.ts';
import { checkRequest } from '../wan/validation/request.ts';
import type { GatheredSettings, MergedSettings } from './settings.ts';
import type { SettingsIssue } from './settings-file.ts';

/** The part of a video's record that depends on its request: checked, or as given with the reason why it was refused. */
type CheckedDrop = Pick<VideoRecord, 'model' | 'input' | 'parameters' | 'metadata' | 'warnings' | 'estimated_cost'> & {
  image?: Pick<StoredImage, 'content_type' | 'bytes' | 'width' | 'height'>;
  error?: Failure;
};

interface DropToCheck {
  merged: MergedSettings;
  /** The name by which a person knows each level. */
  places: GatheredSettings['places'];
  /** What is already known to be wrong. */
  issues: readonly SettingsIssue[];
  warnings: readonly Warning[];
  bytes: Uint8Array;
  size: number;
}

/** Of an unknown model's name, this many characters are kept: an owner's list shows it. */
const MAX_MODEL = 100;

/**
 * Checks the settings and the image of a drop, both in any case, so that all issues are reported together. When a file is broken, the
 * settings that are left are not checked.
 */
export function checkDrop(
  { merged: { request, settings }, places, issues, warnings, bytes, size }: DropToCheck,
  {
    trustedOrigins,
    wanRegion,
    rotatedImages,
  }: { trustedOrigins: readonly string[]; wanRegion: Region; rotatedImages?: RotatedImages | undefined },
): CheckedDrop {
  const s3Prefixes = { img_url: request.input.img_url };
  const checked = checkRequest(request, { mode: 'strict', trustedOrigins, s3Prefixes, maxInlineBytes: 0 });
  const inspected = inspectImage(bytes, size, findModel(String(request.model))?.image, rotatedImages);
  if (checked.ok && inspected.ok && issues.length === 0) {
    const { model, input, parameters, metadata } = checked.request;
    const price = estimatedCost(checked.request, wanRegion);
    return {
      model,
      input,
      parameters,
      metadata,
      warnings: [
        ...warnings,
        ...checked.warnings,
        ...inspected.warnings.map((warning) => ({ pointer: '/input/img_url', ...warning })),
      ],
      ...(price ? { estimated_cost: price } : {}),
      image: inspected.facts,
    };
  }
  const placed = (pointer: string): string => {
    const level = settings[pointer];
    return level ? places[level] : 'the settings';
  };
  const { img_url, prompt } = request.input;
  return {
    model: String(request.model).slice(0, MAX_MODEL),
    input: { ...(typeof prompt === 'string' && prompt ? { prompt } : {}), img_url },
    parameters: {},
    metadata: request.metadata,
    warnings: [...warnings],
    error: invalidDropFailure([
      ...(inspected.ok ? [] : inspected.issues.map((issue) => ({ place: THE_IMAGE, pointer: '', ...issue }))),
      ...issues,
      ...(checked.ok || issues.length > 0
        ? []
        : checked.issues.map((issue) => ({ place: placed(issue.pointer), ...issue }))),
    ]),
  };
}

const limitsOfModels = offeredModelNames.map((name) => findModel(name).image);
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
