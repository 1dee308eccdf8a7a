import { PutObjectCommand } from '@aws-sdk/client-s3';
import { sampleImage } from '../../local/demo/sample-image.ts';
import type { Pipeline } from '../simulation/pipeline.ts';

/** What everybody wants made: the smallest of a model with the reference's limits of 5 submits a second and 5 tasks at once. */
export const request = {
  model: 'wan2.5-i2v-preview',
  prompt: 'A cat runs over the hills',
  // One seed, so that the emulator draws one video and gives each task its own copy.
  parameters: { resolution: '480P', duration: 5, seed: 1 },
} as const;

export const image = sampleImage(480, 360);

/** How many drops each owner has: one has most of them, and it must not be the others' trouble. */
export function drops(videos: number): { owner: string; count: number }[] {
  const others = [0.2, 0.1, 0.06, 0.04].map((share, index) => ({
    owner: ['bob', 'carol', 'dave', 'erin'][index]!,
    count: Math.max(1, Math.round(videos * share)),
  }));
  return [{ owner: 'alice', count: videos - others.reduce((sum, { count }) => sum + count, 0) }, ...others];
}

/** Puts all of them into the drop folder, each into its owner's, in one moment of the clock. */
export async function dropAll({ s3, uploadsBucket }: Pipeline, owners: ReturnType<typeof drops>): Promise<void> {
  for (const { owner, count } of owners) {
    for (let number = 1; number <= count; number++) {
      await s3.send(
        new PutObjectCommand({
          Bucket: uploadsBucket,
          Key: `drop/${owner}/${number}.png`,
          Body: image,
          ContentType: 'image/png',
          Metadata: { prompt: request.prompt },
        }),
      );
    }
  }
}
