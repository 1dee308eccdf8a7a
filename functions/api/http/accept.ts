import { headerValues, type RequestHeaders } from './request.ts';

/** One media range of an `Accept` header. */
interface MediaRange {
  type: string;
  subtype: string;
  /** From 0, not acceptable, to 1. */
  quality: number;
}

/**
 * Whether `Accept` prefers one media type to another (RFC 9110, 12.5.1): by the quality of the most specific range that matches each.
 * The order of ranges has no meaning, and neither does a missing header.
 */
export function prefers(request: RequestHeaders, type: string, other: string): boolean {
  const ranges = headerValues(request, 'accept').flatMap(readRanges);
  return ranges.length > 0 && qualityOf(ranges, type) > qualityOf(ranges, other);
}

function qualityOf(ranges: readonly MediaRange[], mediaType: string): number {
  const [type, subtype] = mediaType.split('/');
  for (const [wantedType, wantedSubtype] of [
    [type, subtype],
    [type, '*'],
    ['*', '*'],
  ]) {
    const matching = ranges.filter((range) => range.type === wantedType && range.subtype === wantedSubtype);
    if (matching.length > 0) return Math.max(...matching.map(({ quality }) => quality));
  }
  return 0;
}

const token = "[\\w!#$%&'*+.^`|~-]+";
const rangePattern = new RegExp(`^\\s*(${token})/(${token})\\s*((?:;[^]*)?)$`);
const qualityPattern = /;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*(?:;|$)/;

/** The valid ranges of a header. Parameters other than `q` are ignored, and so is a range with an invalid `q`. */
function readRanges(header: string): MediaRange[] {
  // Quoted strings may contain commas and semicolons.
  const plain = header.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').toLowerCase();
  return plain.split(',').flatMap((text): MediaRange[] => {
    const [, type, subtype, parameters = ''] = rangePattern.exec(text) ?? [];
    if (type === undefined || subtype === undefined || (type === '*' && subtype !== '*')) return [];
    if (!/;\s*q\s*=/.test(parameters)) return [{ type, subtype, quality: 1 }];
    const quality = qualityPattern.exec(parameters)?.[1];
    return quality === undefined ? [] : [{ type, subtype, quality: Number(quality) }];
  });
}
