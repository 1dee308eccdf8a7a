import type { RunningChecksum } from './algorithms.ts';

/** The NVM Express polynomial, bits reversed. */
const polynomial = 0x9a6c9329ac4bc9b5n;

// Two 32-bit halves: BigInt arithmetic per byte would be a hundred times slower.
const low = new Int32Array(256);
const high = new Int32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let entry = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) entry = entry & 1n ? (entry >> 1n) ^ polynomial : entry >> 1n;
  low[byte] = Number(entry & 0xffffffffn);
  high[byte] = Number(entry >> 32n);
}

/** CRC-64/NVME, which S3 computes for every upload that names no other checksum. */
export function createCrc64Nvme(): RunningChecksum {
  let crcLow = -1;
  let crcHigh = -1;
  return {
    update: (bytes) => {
      for (let i = 0; i < bytes.length; i++) {
        const index = (crcLow ^ bytes[i]!) & 0xff;
        crcLow = ((crcLow >>> 8) | (crcHigh << 24)) ^ low[index]!;
        crcHigh = (crcHigh >>> 8) ^ high[index]!;
      }
    },
    digest: () => {
      const result = Buffer.alloc(8);
      result.writeInt32BE(~crcHigh, 0);
      result.writeInt32BE(~crcLow, 4);
      return result;
    },
  };
}
