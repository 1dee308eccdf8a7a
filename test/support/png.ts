import { sampleImage } from '../../local/demo/sample-image.ts';

/** A real picture of the size asked for, as PNG. */
export const png = (width: number, height: number): Buffer => sampleImage(width, height);

/** The same as a `data:` URL. */
export const pngUrl = (width: number, height: number): string =>
  `data:image/png;base64,${png(width, height).toString('base64')}`;
