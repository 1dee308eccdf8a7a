import { PutObjectCommand } from '@aws-sdk/client-s3';
import { sampleImage } from '../../local/demo/sample-image.ts';
import type { Pipeline } from '../simulation/pipeline.ts';

/** The request of every drop: the smallest video of a model with limits of 5 submits per second and 5 concurrent tasks. */
export const request = {
  model: 'wan2.5-i2v-preview',
  prompt: 'A cat runs over the hills',
  // A fixed seed, so that the emulator renders one video and copies it for each task.
  parameters: { resolution: '480P', duration: 5, seed: 1 },
} as const;

export const image = sampleImage(480, 360);

/** Returns the number of drops of each owner. One owner has most of them, which must not delay the others. */
export function drops(videos: number): { owner: string; count: number }[] {
  const others = [0.2, 0.1, 0.06, 0.04].map((share, index) => ({
    owner: ['bob', 'carol', 'dave', 'erin'][index]!,
    count: Math.max(1, Math.round(videos * share)),
  }));
  return [{ owner: 'alice', count: videos - others.reduce((sum, { count }) => sum + count, 0) }, ...others];
}

/** Uploads all drops to their owners' folders in one instant of the virtual clock. */
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
