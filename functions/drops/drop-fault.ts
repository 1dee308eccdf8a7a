import type { Failure } from '../video/record.ts';
import { maxViolations, type Violation } from '../wan/violations.ts';

/** Something that must be mended before a drop can be taken, and where: a file's key, or words for what is no file. */
export interface Fault extends Violation {
  place: string;
}

/** The picture itself, as a place. */
export const THE_IMAGE = 'the image';

/** The ending of a drop that can't be taken: what is wrong (the first 50 faults), place by place, and what to mend. */
export function refusal(all: readonly Fault[]): Failure {
  const faults = all.slice(0, maxViolations);
  const places = [...new Set(faults.map(({ place }) => place))];
  const sentences = places.map((place) => {
    const found = faults.filter((fault) => fault.place === place);
    const told = found.map(({ pointer, message }) => (pointer ? `${pointer}: ${message}` : message)).join(' ');
    return place === THE_IMAGE ? told : `In ${place}: ${told}`;
  });
  return {
    code: faults[0]?.code ?? 'invalid_request',
    message: sentences.join(' '),
    retryable: false,
    billed: false,
    hint: `Mend ${places.join(' and ')}, then drop the image again: a new version is a new video.`,
  };
}
