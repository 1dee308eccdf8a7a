/** How long tasks take, in seconds from submit to end, queue included. */
export interface Spread {
  name: string;
  draw: (random: () => number) => number;
}

/** What is published of Wan, queued and ran: six samples (facts, "How long a task takes"). */
const samples = [92.5, 116, 73, 131, 582.8, 504];

/** Between the samples nothing is known, so each is blurred by so much of itself. */
const BLUR = 0.12;

export const spreads = {
  published: {
    name: 'as published, 73–583 s',
    draw: (random) => samples[Math.floor(random() * samples.length)]! * Math.exp(BLUR * normal(random)),
  },
  narrow: { name: 'narrow, 120 s ± 10 %', draw: (random) => 120 * Math.exp(0.1 * normal(random)) },
} as const satisfies Record<string, Spread>;

/** A number of the standard normal distribution (Box and Muller). */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
