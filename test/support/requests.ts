import { pngUrl } from './png.ts';

/** A request that every deployment takes; small and cheap. Its prompt may direct the emulator. */
export const aRequest = (prompt = 'A cat runs', given: object = {}) => ({
  model: 'wan2.2-i2v-flash',
  input: { prompt, img_url: pngUrl(360, 360) },
  parameters: { resolution: '480P' },
  ...given,
});
