const [columns, rows] = [8, 5];

/** Returns a small image in the PAM format for a video without images: tiles whose colors follow from a hash. */
export function drawnImage(hash: string): Buffer {
  const header = `P7\nWIDTH ${columns}\nHEIGHT ${rows}\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n`;
  const pixels = Buffer.alloc(columns * rows * 3);
  for (let at = 0; at < pixels.length; at += 1) {
    pixels[at] = Number.parseInt(hash.charAt((at * 7) % hash.length) + hash.charAt((at * 11 + 3) % hash.length), 16);
  }
  return Buffer.concat([Buffer.from(header, 'latin1'), pixels]);
}
