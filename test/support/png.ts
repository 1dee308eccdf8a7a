import { sampleImage } from '../../local/demo/sample-image.ts';

/** Returns a valid PNG of the given size. */
export const png = (width: number, height: number): Buffer => sampleImage(width, height);

/** Returns such a PNG as a `data:` URL. */
export const pngUrl = (width: number, height: number): string =>
  `data:image/png;base64,${png(width, height).toString('base64')}`;
