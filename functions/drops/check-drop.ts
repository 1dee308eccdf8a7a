import { type ImageLimits, inspectImage, type RotatedImages } from '../media/image.ts';
import { maxIssues } from '../shared/issues.ts';
import type { Failure, StoredImage, VideoRecord } from '../video/record.ts';
import { findModel, offeredModelNames } from '../wan/catalogue.ts';
import { estimatedCost } from '../wan/prices.ts';
import type { Region } from '../wan/regions.ts';
import { checkRequest } from '../wan/validation/request.ts';
import type { GatheredSettings, MergedSettings } from './settings.ts';
import type { SettingsIssue } from './settings-file.ts';

/** What of a video's record depends on its request: as it was understood, or as it was given with the reason why it can't be. */
type CheckedDrop = Pick<VideoRecord, 'model' | 'input' | 'parameters' | 'metadata' | 'warnings' | 'estimated_cost'> & {
  image?: Pick<StoredImage, 'content_type' | 'bytes' | 'width' | 'height'>;
  error?: Failure;
};

interface DropToCheck {
  merged: MergedSettings;
  /** By what name a person knows each level. */
  places: GatheredSettings['places'];
  /** What is known to be wrong already. */
  issues: readonly SettingsIssue[];
  bytes: Uint8Array;
  size: number;
}

/** Of a name that is no model's, no more characters are kept: an owner's list shows it. */
const MAX_MODEL = 100;

/**
 * Checks a drop's settings and its image, both in any case, so that everything that is wrong is told at once; but what is left of
 * the settings when a file is broken is not held against it.
 */
export function checkDrop(
  { merged: { request, settings }, places, issues, bytes, size }: DropToCheck,
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
    warnings: [],
    error: invalidDropFailure([
      ...(inspected.ok ? [] : inspected.issues.map((problem) => ({ place: THE_IMAGE, pointer: '', ...problem }))),
      ...issues,
      ...(checked.ok || issues.length > 0
        ? []
        : checked.issues.map((issue) => ({ place: placed(issue.pointer), ...issue }))),
    ]),
  };
}

const limitsOfModels = offeredModelNames.map((name) => findModel(name).image);
/** What at least one of the models takes. */
const widestLimits: ImageLimits = {
  min_side: Math.min(...limitsOfModels.map(({ min_side }) => min_side)),
  max_side: Math.max(...limitsOfModels.map(({ max_side }) => max_side)),
  max_bytes: Math.max(...limitsOfModels.map(({ max_bytes }) => max_bytes)),
};

/** Whether there are settings with which an image can be taken: one that no model takes need not wait for any. */
export const isOfUse = (bytes: Uint8Array, size: number, rotatedImages?: RotatedImages): boolean =>
  inspectImage(bytes, size, widestLimits, rotatedImages).ok;

/** The picture itself, as a place. */
const THE_IMAGE = 'the image';

/** The ending of a drop that can't be taken: what is wrong (the first 50 faults), place by place, and what to mend. */
export function invalidDropFailure(all: readonly SettingsIssue[]): Failure {
  const faults = all.slice(0, maxIssues);
  const places = [...new Set(faults.map(({ place }) => place))];
  const sentences = places.map((place) => {
    const found = faults.filter((fault) => fault.place === place);
    const told = found.map(({ pointer, message }) => (pointer ? `${pointer}: ${message}` : message)).join(' ');
    return place === THE_IMAGE ? told : `In ${place}: ${told}`;
  });
  return {
    code: faults[0]?.code ?? 'invalid_request',
    message: sentences.join(' '),
    retryable: false,
    billed: false,
    hint: `Mend ${places.join(' and ')}, then drop the image again: a new version is a new video.`,
  };
}
