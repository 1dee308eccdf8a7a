/** A distribution of task durations, in seconds from submission to end, including Wan's queue. */
export interface DurationDistribution {
  name: string;
  draw: (random: () => number) => number;
}

/** Published durations of Wan tasks, in seconds: six samples. */
const samples = [92.5, 116, 73, 131, 582.8, 504];

/** Nothing is known between the samples, so each is blurred by this share of itself. */
const BLUR = 0.12;

export const durationDistributions = {
  published: {
    name: 'as published, 73–583 s',
    draw: (random) => samples[Math.floor(random() * samples.length)]! * Math.exp(BLUR * normal(random)),
  },
  narrow: { name: 'narrow, 120 s ± 10 %', draw: (random) => 120 * Math.exp(0.1 * normal(random)) },
} as const satisfies Record<string, DurationDistribution>;

/** Draws from the standard normal distribution (Box–Muller). */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
