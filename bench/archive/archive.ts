import { type Bound, checkBounds, startTable } from '../bounds.ts';
import { type ArchiveResult, openArchiveBench } from './measure.ts';

/** The memory of the function archive-video (`infra/workflow/workflow.ts`), in MB. */
const lambdaMemoryMb = 512;
const sizesMb = [10, 100, 500] as const;
/**
 * The maximum ratio of the memory for the largest video to that for the smallest: about 28 MB more, so buffering a tenth of it
 * fails.
 */
const maxGrowth = 1.25;
/** Garbage collection varies memory by up to a fifth between runs, so the median run is used. */
const runs = 3;

const megabyte = 1_000_000;
const mebibyte = 1024 * 1024;

/**
 * `npm run bench -- archive`: compares memory and speed of archiving with a copy through one buffer. Both copy between two
 * servers on this machine, so that the speed is that of the code, not of a network.
 * @returns whether memory stays flat and below that of the function
 */
export async function archive(): Promise<boolean> {
  const bench = await openArchiveBench(lambdaMemoryMb);
  const rows: { size: number; streamed: ArchiveResult; buffered: ArchiveResult }[] = [];
  try {
    for (const size of sizesMb) {
      const streamed: ArchiveResult[] = [];
      for (let run = 0; run < runs; run += 1) streamed.push(await bench.archive('streamed', size * megabyte));
      rows.push({ size, streamed: medianOf(streamed), buffered: await bench.archive('buffered', size * megabyte) });
    }
  } finally {
    await bench.close();
  }
  console.log(
    `Archiving in a process configured like a Lambda function of ${lambdaMemoryMb} MB: peak resident memory and speed`,
  );
  const print = startTable(8, ['video', 'streamed, as deployed', '     through one buffer']);
  for (const { size, streamed, buffered } of rows)
    print([`${size} MB`, formatResult(streamed), formatResult(buffered)]);
  return checkBounds(boundsOf(rows.map(({ streamed }) => streamed)));
}

/** Returns the bounds of memory. @param archived the results from the smallest video to the largest */
export function boundsOf(archived: readonly ArchiveResult[]): Bound[] {
  const peaks = archived.map(({ peak_bytes }) => peak_bytes);
  return [
    { name: 'memory for the largest video / for the smallest', value: peaks.at(-1)! / peaks[0]!, max: maxGrowth },
    { name: 'memory in MB', value: Math.max(...peaks) / mebibyte, max: lambdaMemoryMb },
  ];
}

/** Returns the run with the median memory. */
const medianOf = (archived: readonly ArchiveResult[]): ArchiveResult =>
  archived.toSorted((one, other) => one.peak_bytes - other.peak_bytes)[Math.floor(archived.length / 2)]!;

const formatResult = ({ bytes, seconds, peak_bytes }: ArchiveResult): string =>
  `${Math.round(peak_bytes / mebibyte)} MB ${String(Math.round(bytes / megabyte / seconds)).padStart(8)} MB/s`;
