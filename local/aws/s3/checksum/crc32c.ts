import type { RunningChecksum } from './algorithms.ts';

/** Castagnoli's polynomial, bits reversed. */
const polynomial = 0x82f63b78;

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let entry = byte;
  for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? (entry >>> 1) ^ polynomial : entry >>> 1;
  return entry;
});

/** CRC-32C (RFC 3720, appendix B.4). */
export function createCrc32c(): RunningChecksum {
  let crc = -1;
  return {
    update: (bytes) => {
      for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
    },
    digest: () => {
      const result = Buffer.alloc(4);
      result.writeInt32BE(~crc);
      return result;
    },
  };
}
