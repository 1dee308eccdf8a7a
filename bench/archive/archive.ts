import { type Archived, openWorkbench } from './measure.ts';

/** The memory of the archiving Lambda (`infra/workflow/workflow.ts`), in MB. */
const lambdaMemoryMb = 512;
const sizesMb = [10, 100, 500] as const;
/** How much more the largest video may take than the smallest, which is some 28 MB: a tenth of it in memory would show. */
const largestGrowth = 1.25;
/** One run takes up to a fifth more than another, as the collector comes by: the middle one counts. */
const runs = 3;

const megabyte = 1_000_000;
const mebibyte = 1024 * 1024;

/**
 * `npm run bench -- archive`: the memory and the speed of archiving, beside those of a copy through one buffer. Both go from one server
 * of this machine to another, so that the speed is that of the code and not of a line.
 * @returns whether memory stays flat, and below the Lambda's
 */
export async function archive(): Promise<boolean> {
  const workbench = await openWorkbench(lambdaMemoryMb);
  const rows: { size: number; streamed: Archived; whole: Archived }[] = [];
  try {
    for (const size of sizesMb) {
      const streamed: Archived[] = [];
      for (let run = 0; run < runs; run += 1) streamed.push(await workbench.archive('streamed', size * megabyte));
      rows.push({ size, streamed: middleOf(streamed), whole: await workbench.archive('whole', size * megabyte) });
    }
  } finally {
    await workbench.close();
  }
  console.log(`Archiving, in a process as a Lambda of ${lambdaMemoryMb} MB has it: peak resident memory and speed`);
  console.log('    video   streamed, as deployed      through one buffer');
  for (const { size, streamed, whole } of rows)
    console.log(`${`${size} MB`.padStart(9)}${inWords(streamed)}${inWords(whole)}`);
  const verdict = judge(rows.map(({ streamed }) => streamed));
  console.log(verdict.words);
  return verdict.holds;
}

/** @param archived from the smallest video to the largest */
export function judge(archived: readonly Archived[]): { holds: boolean; words: string } {
  const peaks = archived.map(({ peak_bytes }) => peak_bytes);
  const growth = peaks.at(-1)! / peaks[0]!;
  const holds = growth <= largestGrowth && Math.max(...peaks) <= lambdaMemoryMb * mebibyte;
  const bound = `bound: ${largestGrowth.toFixed(2)} times, and ${lambdaMemoryMb} MB`;
  return {
    holds,
    words: `${holds ? 'Flat' : 'NOT FLAT'}: the largest takes ${growth.toFixed(2)} times the smallest's memory (${bound}).`,
  };
}

/** The run whose memory is neither the most nor the least. */
const middleOf = (archived: readonly Archived[]): Archived =>
  archived.toSorted((one, other) => one.peak_bytes - other.peak_bytes)[Math.floor(archived.length / 2)]!;

const inWords = ({ bytes, seconds, peak_bytes }: Archived): string => {
  const memory = `${Math.round(peak_bytes / mebibyte)} MB`;
  const speed = `${Math.round(bytes / megabyte / seconds)} MB/s`;
  return `${memory.padStart(11)}${speed.padStart(12)}  `;
};
