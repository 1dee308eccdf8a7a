/** Bitmaps of the letters of "AI Generated", five by seven dots each. */
const letters: Readonly<Record<string, readonly string[]>> = {
  A: ['.###.', '#...#', '#...#', '#####', '#...#', '#...#', '#...#'],
  I: ['.###.', '..#..', '..#..', '..#..', '..#..', '..#..', '.###.'],
  G: ['.###.', '#...#', '#....', '#.###', '#...#', '#...#', '.###.'],
  e: ['.....', '.....', '.###.', '#...#', '#####', '#....', '.###.'],
  n: ['.....', '.....', '#.##.', '##..#', '#...#', '#...#', '#...#'],
  r: ['.....', '.....', '#.##.', '##..#', '#....', '#....', '#....'],
  a: ['.....', '.....', '.###.', '....#', '.####', '#...#', '.####'],
  t: ['.#...', '.#...', '###..', '.#...', '.#...', '.#..#', '..##.'],
  d: ['....#', '....#', '.####', '#...#', '#...#', '#...#', '.####'],
};

const words = 'AI Generated';
const columns = words.length * 6 + 3;
const rows = 11;

/** Side of a dot in pixels: the watermark takes about a sixth of the video's longer side. */
export function dotSize(longerSide: number): number {
  return Math.max(1, Math.round(longerSide / 6 / columns));
}

/** Returns the watermark as an image with an alpha channel in the PAM format: white letters on a translucent background. */
export function watermarkImage(dot: number): Buffer {
  const [width, height] = [columns * dot, rows * dot];
  const header = `P7\nWIDTH ${width}\nHEIGHT ${height}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n`;
  const pixels = Buffer.alloc(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [light, alpha] = isInk(Math.floor(x / dot) - 2, Math.floor(y / dot) - 2) ? [255, 230] : [0, 90];
      pixels.set([light, light, light, alpha], (y * width + x) * 4);
    }
  }
  return Buffer.concat([Buffer.from(header, 'latin1'), pixels]);
}

function isInk(column: number, row: number): boolean {
  const letter = words[Math.floor(column / 6)];
  return letter !== undefined && letters[letter]?.[row]?.[column % 6] === '#';
}
