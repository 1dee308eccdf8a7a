import { inspectImage } from '../media/image.ts';
import { estimatedCost } from '../video/estimated-cost.ts';
import type { Failure, StoredImage, VideoRecord } from '../video/record.ts';
import { findModel } from '../wan/catalogue.ts';
import type { Region } from '../wan/regions.ts';
import { checkRequest } from '../wan/request.ts';
import type { Violation } from '../wan/violations.ts';
import type { DropRequest } from './settings.ts';

/** What of a video's record depends on its request: as it was understood, or as it was given with the reason why it can't be. */
type CheckedDrop = Pick<VideoRecord, 'model' | 'input' | 'parameters' | 'warnings' | 'estimated_cost'> & {
  image?: Pick<StoredImage, 'content_type' | 'bytes' | 'width' | 'height'>;
  error?: Failure;
};

/** Checks a drop's settings and its image, both in any case, so that everything that is wrong is told at once. */
export function checkDrop(
  request: DropRequest,
  {
    bytes,
    size,
    trustedOrigins,
    wanRegion,
  }: { bytes: Uint8Array; size: number; trustedOrigins: readonly string[]; wanRegion: Region },
): CheckedDrop {
  const s3Prefixes = { img_url: request.input.img_url };
  const checked = checkRequest(request, { mode: 'strict', trustedOrigins, s3Prefixes });
  const inspected = inspectImage(bytes, size, findModel(String(request.model))?.image);
  if (checked.ok && inspected.ok) {
    const { model, input, parameters } = checked.request;
    const { content_type, width, height } = inspected;
    const price = estimatedCost(checked.request, wanRegion);
    return {
      model,
      input,
      parameters,
      warnings: checked.warnings,
      ...(price ? { estimated_cost: price } : {}),
      image: { content_type, bytes: size, width, height },
    };
  }
  const { img_url, prompt } = request.input;
  return {
    model: String(request.model),
    input: { ...(prompt ? { prompt } : {}), img_url },
    parameters: {},
    warnings: [],
    error: refusal([
      ...(inspected.ok ? [] : inspected.violations.map((problem) => ({ pointer: '', ...problem }))),
      ...(checked.ok ? [] : checked.violations),
    ]),
  };
}

const refusal = (violations: Violation[]): Failure => ({
  code: violations[0]?.code ?? 'invalid_request',
  message: violations.map(({ pointer, message }) => (pointer ? `${pointer}: ${message}` : message)).join(' '),
  retryable: false,
  billed: false,
  hint: 'Mend the image or its metadata and drop it again: a new version is a new video.',
});
