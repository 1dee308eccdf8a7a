import { type Failure, isTerminal, type Status, type VideoRecord } from '../video/record.ts';
import { placeAndProof } from './write-result.ts';

/** What became of a line of a manifest: a line of its result. */
export interface ManifestRow {
  /** From 1, as in the manifest; none for what is wrong with the manifest as a whole. */
  line?: number;
  /** None for a line that no video could be made of. */
  id?: string;
  status: Status | 'deleted';
  metadata?: VideoRecord['metadata'];
  video?: ReturnType<typeof placeAndProof>;
  cost?: VideoRecord['cost'];
  error?: Failure;
}

/** Whether nothing will happen to a line by itself. */
export const isDone = ({ status }: ManifestRow): boolean => status === 'deleted' || isTerminal(status);

/** @param video undefined for one that was deleted */
export function rowOf(line: number, id: string, video: VideoRecord | undefined): ManifestRow {
  if (!video) return { line, id, status: 'deleted' };
  const { status, metadata, cost, error } = video;
  return {
    line,
    id,
    status,
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    ...(video.video ? { video: placeAndProof(video.video) } : {}),
    ...(cost ? { cost } : {}),
    ...(error ? { error } : {}),
  };
}

/** What is wrong with a line, or with the manifest as a whole. */
export const refusedRow = (
  error: Pick<Failure, 'code' | 'message' | 'hint'>,
  line?: number,
): ManifestRow & { error: Failure } => ({
  ...(line === undefined ? {} : { line }),
  status: 'failed',
  error: { ...error, retryable: false, billed: false },
});
