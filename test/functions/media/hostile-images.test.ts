import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { inspectImage } from '../../../functions/media/image.ts';
import { bmp } from '../../support/image-variants.ts';
import { png, pngChunk, webp } from './support.ts';

const codes = (bytes: Uint8Array, size = bytes.byteLength): string[] => {
  const inspected = inspectImage(bytes, size);
  return inspected.ok ? [] : inspected.issues.map(({ code }) => code);
};

/** A PNG of a size that its header claims, with these compressed pixels. */
function claiming(width: number, height: number, pixels: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks = [pngChunk('IHDR', header), pngChunk('IDAT', pixels), pngChunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]);
}

/** How much the memory outside the heap and in it grows by some work, in bytes. */
function growth(work: () => void): number {
  const used = () => process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
  const before = used();
  work();
  return used() - before;
}

describe('an image that declares 30,000 × 30,000 pixels, 2.7 GB of them,', () => {
  test.each([
    ['PNG', claiming(30_000, 30_000, deflateSync(Buffer.alloc(1000)))],
    ['BMP', claimingBmp(30_000, 30_000)],
  ])('is refused by its header: %s', (_, bytes) => {
    expect(codes(bytes)).toContain('image_dimensions');
  });

  // A WEBP's header has 14 bits for a side.
  test('is refused by its header: WEBP, at its 16,383', () => {
    expect(codes(webp(16_383, 16_383))).toContain('image_dimensions');
  });
});

function claimingBmp(width: number, height: number): Buffer {
  const bytes = bmp({ width: 400, height: 400 });
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  return bytes;
}

describe('a bomb', () => {
  // 400 MB of zeros in some 400 KB.
  const bomb = deflateSync(Buffer.alloc(400_000_000), { level: 9 });

  test('in the pixels of a PNG is never opened: neither time nor memory goes into it', () => {
    const bytes = claiming(400, 400, bomb);
    const started = performance.now();
    let outcome: string[] = [];
    expect(growth(() => (outcome = codes(bytes)))).toBeLessThan(20_000_000);
    expect(outcome).toEqual([]);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('in a text next to the pixels is not opened either', () => {
    const whole = png(400, 400);
    const text = pngChunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0', 'latin1'), bomb]));
    const bytes = Buffer.concat([whole.subarray(0, 33), text, whole.subarray(33)]);
    expect(growth(() => codes(bytes))).toBeLessThan(20_000_000);
    expect(codes(bytes)).toEqual([]);
  });

  test('nothing that is deployed can open one: no function unpacks anything', () => {
    const root = path.resolve(import.meta.dirname, '../../../functions');
    const unpacking = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .filter((file) => /Decompress|inflate|gunzip|unzip/i.test(readFileSync(path.join(root, file), 'utf8')));
    expect(unpacking).toEqual([]);
  });
});

describe('an image with wrong information', () => {
  test('about its length is checked by the length that storage reports', () => {
    expect(codes(png(400, 400), 11 * 1024 * 1024)).toContain('image_too_large');
  });

  test('about its kind is recognized by its first bytes', () => {
    for (const bytes of [
      Buffer.from('GIF89a\u0001\u0002'),
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"/>'),
      Buffer.from('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg/>'),
      Buffer.from('%PDF-1.7'),
      Buffer.from([0x50, 0x4b, 0x03, 0x04, 0, 0]),
    ])
      expect(codes(bytes)).toEqual(['unsupported_image_type']);
  });

  test('about its size, with less than a header, is refused', () => {
    expect(codes(png(400, 400).subarray(0, 20))).toContain('image_unreadable');
  });

  test('about a side of 0 or 2^32 - 1 is refused', () => {
    expect(codes(claiming(0, 400, deflateSync(Buffer.alloc(10))))).not.toEqual([]);
    expect(codes(claiming(0xffffffff, 400, deflateSync(Buffer.alloc(10))))).not.toEqual([]);
  });
});
