import type { Box } from './boxes.ts';
import type { ByteSource } from './byte-source.ts';

/** The machine-readable marks of AI-generated content in an MP4. Their signatures and values are not verified. */
export interface ProvenanceMarks {
  /** Whether the file has a C2PA manifest: a top-level `uuid` box (C2PA specification, "Embedding manifests into BMFF-based assets"). */
  c2pa: boolean;
  /** Whether the metadata has the key `AIGC`, the implicit label of the Chinese standard GB 45438-2025. */
  aigc_label: boolean;
}

const C2PA_BOX = 'd8fec3d61b0e483c92975828877ec481';
const AIGC_KEY = 'AIGC';

/** Returns the marks of an MP4 whose index was found valid. @param boxes its top-level boxes */
export async function readProvenanceMarks(source: ByteSource, boxes: readonly Box[]): Promise<ProvenanceMarks> {
  let c2pa = false;
  let aigc_label = false;
  for (const { type, start, end } of boxes) {
    if (type === 'uuid') {
      const head = Buffer.from(await source.read(start, Math.min(end, start + 32)));
      c2pa ||= head.toString('hex', headerLength(head)).startsWith(C2PA_BOX);
    }
    if (type === 'moov') {
      const moov = Buffer.from(await source.read(start, end));
      aigc_label ||= metadataKeys(moov.subarray(headerLength(moov))).includes(AIGC_KEY);
    }
  }
  return { c2pa, aigc_label };
}

/** A size of 1 means that 64 bits with the actual size follow. */
const headerLength = (box: Buffer): number => (box.readUInt32BE(0) === 1 ? 16 : 8);

/** The keys of an MP4's metadata: those of QuickTime (`keys`), and the names of iTunes' free-form items (`----`). */
function metadataKeys(moov: Buffer): string[] {
  const metas = [moov, ...childrenOf(moov, 'udta')].flatMap((parent) => childrenOf(parent, 'meta'));
  return metas.flatMap((content) => {
    // A full box begins with a version and flags, which QuickTime omits.
    const meta = content.toString('latin1', 4, 8) === 'hdlr' ? content : content.subarray(4);
    const freeForm = childrenOf(meta, 'ilst').flatMap((items) => childrenOf(items, '----'));
    return [
      ...childrenOf(meta, 'keys').flatMap((keys) => childrenOf(keys.subarray(8))),
      ...freeForm.flatMap((item) => childrenOf(item, 'name')).map((name) => name.subarray(4)),
    ].map((key) => key.toString('utf8'));
  });
}

/** The contents of the boxes of a type, up to the first invalid length. @param type @default any */
function childrenOf(boxes: Buffer, type?: string): Buffer[] {
  const found: Buffer[] = [];
  for (let offset = 0; offset + 8 <= boxes.length; ) {
    const length = boxes.readUInt32BE(offset);
    if (length < 8 || offset + length > boxes.length) break;
    const isWanted = type === undefined || boxes.toString('latin1', offset + 4, offset + 8) === type;
    if (isWanted) found.push(boxes.subarray(offset + 8, offset + length));
    offset += length;
  }
  return found;
}
