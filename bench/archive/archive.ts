import { type Bound, judge, startTable } from '../verdict.ts';
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
  const print = startTable(8, ['video', 'streamed, as deployed', '     through one buffer']);
  for (const { size, streamed, whole } of rows) print([`${size} MB`, inWords(streamed), inWords(whole)]);
  return judge(boundsOf(rows.map(({ streamed }) => streamed)));
}

/** What must hold of memory. @param archived from the smallest video to the largest */
export function boundsOf(archived: readonly Archived[]): Bound[] {
  const peaks = archived.map(({ peak_bytes }) => peak_bytes);
  return [
    { what: "the largest's memory, times the smallest's", figure: peaks.at(-1)! / peaks[0]!, most: largestGrowth },
    { what: 'MB of memory', figure: Math.max(...peaks) / mebibyte, most: lambdaMemoryMb },
  ];
}

/** The run whose memory is neither the most nor the least. */
const middleOf = (archived: readonly Archived[]): Archived =>
  archived.toSorted((one, other) => one.peak_bytes - other.peak_bytes)[Math.floor(archived.length / 2)]!;

const inWords = ({ bytes, seconds, peak_bytes }: Archived): string =>
  `${Math.round(peak_bytes / mebibyte)} MB ${String(Math.round(bytes / megabyte / seconds)).padStart(8)} MB/s`;
