const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** A chunk of a WAV; `declared` is the size that it claims. */
export function wavChunk(name: string, content: Buffer, { declared = content.length, pad = true } = {}): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(declared, 0);
  return Buffer.concat([latin1(name), size, content, Buffer.alloc(pad ? content.length % 2 : 0)]);
}

export interface WavOptions {
  readonly seconds: number;
  /** The four letters that the file begins with. */
  readonly form?: 'RIFF' | 'RF64' | 'BW64';
  /** What the file's header declares as its size. @default the truth */
  readonly riffSize?: number;
  /** What the data chunk declares as its size. @default the truth */
  readonly dataSize?: number;
  /** Chunks before the format and between it and the data. */
  readonly first?: readonly Buffer[];
  readonly before?: readonly Buffer[];
  readonly after?: Buffer;
  /** Format tag; 1 is PCM. */
  readonly tag?: number;
  /** @default that of 8 kHz, one channel, 16 bits */
  readonly bytesPerSecond?: number;
}

/** A WAV of a tone: 8 kHz, one channel, 16 bits. */
export function wavOf({
  seconds,
  form = 'RIFF',
  first = [],
  before = [],
  after = Buffer.alloc(0),
  ...more
}: WavOptions): Buffer {
  const samples = Buffer.alloc(Math.round(seconds * 8000) * 2);
  for (let at = 0; at < samples.length; at += 2) samples.writeInt16LE(Math.round(9000 * Math.sin(at * 0.17)), at);
  const format = Buffer.alloc(16);
  format.writeUInt16LE(more.tag ?? 1, 0);
  format.writeUInt16LE(1, 2);
  format.writeUInt32LE(8000, 4);
  format.writeUInt32LE(more.bytesPerSecond ?? 16_000, 8);
  format.writeUInt16LE(2, 12);
  format.writeUInt16LE(16, 14);
  const ds64 = Buffer.alloc(28);
  ds64.writeUInt32LE(samples.length, 8);
  const large = form === 'RIFF' ? {} : { declared: 0xffffffff };
  const data = wavChunk('data', samples, more.dataSize === undefined ? large : { declared: more.dataSize });
  const chunks = [
    ...(form === 'RIFF' ? [] : [wavChunk('ds64', ds64)]),
    ...first,
    wavChunk('fmt ', format),
    ...before,
    data,
    after,
  ];
  const content = Buffer.concat([latin1('WAVE'), ...chunks]);
  const declared = more.riffSize ?? (form === 'RIFF' ? content.length : 0xffffffff);
  return wavChunk(form, content, { declared, pad: false });
}

/** An ID3v2 tag whose content is that many zeros. */
export function id3(bytes: number, { footer = false } = {}): Buffer {
  const size = [21, 14, 7, 0].map((shift) => (bytes >> shift) & 127);
  const head = Buffer.from([0x49, 0x44, 0x33, 4, 0, footer ? 0x10 : 0, ...size]);
  const foot = footer ? Buffer.from([0x33, 0x44, 0x49, 4, 0, 0x10, ...size]) : Buffer.alloc(0);
  return Buffer.concat([head, Buffer.alloc(bytes), foot]);
}

export interface Mp3Options {
  readonly seconds: number;
  /** Tags or any other bytes before the first frame. */
  readonly before?: readonly Buffer[];
  /** Bytes in the middle, between two frames. */
  readonly within?: Buffer;
  readonly after?: Buffer;
  /** @default Layer III of MPEG 1, 128 kbit/s at 44.1 kHz, without a checksum */
  readonly header?: readonly [number, number, number, number];
  readonly frameBytes?: number;
  readonly frameSeconds?: number;
}

/** An MP3 of silent frames. */
export function mp3Of({
  seconds,
  before = [],
  within = Buffer.alloc(0),
  after = Buffer.alloc(0),
  ...more
}: Mp3Options): Buffer {
  const frame = Buffer.alloc(more.frameBytes ?? 417);
  frame.set(more.header ?? [0xff, 0xfb, 0x90, 0xc4]);
  const frames = new Array<Buffer>(Math.round(seconds / (more.frameSeconds ?? 1152 / 44_100))).fill(frame);
  const middle = Math.floor(frames.length / 2);
  return Buffer.concat([...before, ...frames.slice(0, middle), within, ...frames.slice(middle), after]);
}
