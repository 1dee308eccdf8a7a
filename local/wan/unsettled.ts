/**
 * What the sources do not settle. The emulator tolerates what a client might send; each fact can be turned to the other
 * behavior, so that a client can be tried with both. README.md, "Unsettled facts", has the reasons.
 */
export interface UnsettledFacts {
  /** `input.img_url` and `audio_url` for wan2.7, which published clients send. */
  readonly wan27ImgUrl: 'accepted' | 'rejected';
  /** `driving_audio` with the bare name wan2.7-i2v. Its snapshot always uses the audio. */
  readonly wan27AliasAudio: 'used' | 'ignored';
  /** `input.negative_prompt` for wan3.0. */
  readonly wan30NegativePrompt: 'ignored' | 'rejected';
  /** `parameters.prompt_extend` for wan3.0. */
  readonly wan30PromptExtend: 'ignored' | 'rejected';
}

export const defaultFacts: UnsettledFacts = {
  wan27ImgUrl: 'accepted',
  wan27AliasAudio: 'used',
  wan30NegativePrompt: 'ignored',
  wan30PromptExtend: 'ignored',
};
