import { pngUrl } from './png.ts';

/** A small request that every deployment accepts, for a model with high concurrency. Its prompt may direct the emulator. */
export const aRequest = (prompt = 'A cat runs', given: object = {}) => ({
  model: 'wan2.5-i2v-preview',
  input: { prompt, img_url: pngUrl(360, 360) },
  parameters: { resolution: '480P' },
  ...given,
});
