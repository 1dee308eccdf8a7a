import { pngUrl } from './png.ts';

/** A request that every deployment takes: small, of the models that Wan makes most of at once. Its prompt may direct the emulator. */
export const aRequest = (prompt = 'A cat runs', given: object = {}) => ({
  model: 'wan2.5-i2v-preview',
  input: { prompt, img_url: pngUrl(360, 360) },
  parameters: { resolution: '480P' },
  ...given,
});
