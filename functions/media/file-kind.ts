/** MIME types of the files that Wan reads (reference, "Input image" and "Audio limits"). */
export const imageTypes = ['image/jpeg', 'image/png', 'image/bmp', 'image/webp'] as const;
export type ImageType = (typeof imageTypes)[number];
export const audioTypes = ['audio/wav', 'audio/mpeg'] as const;
export type AudioType = (typeof audioTypes)[number];
export const videoTypes = ['video/mp4', 'video/quicktime'] as const;
export type VideoType = (typeof videoTypes)[number];

const page = 'It may be an error page that was saved instead of the file: open it in an editor.';
const onMac = 'Convert it on a Mac: `sips -s format jpeg in.png --out out.jpg`.';
const firstPage = "Convert its first page: `magick -density 150 'in.pdf[0]' out.jpg`.";

/**
 * Kinds of files by their first bytes; the first match wins. The kind is a MIME type that Wan reads or the usual file extension; the
 * signature is a regular expression over the bytes as latin1.
 */
const kinds: readonly (readonly [kind: string, description: string, signature: string, advice?: string])[] = [
  ['image/jpeg', 'a JPEG image', String.raw`\xff\xd8\xff`],
  ['cgbi', "a PNG image in Apple's own form (CgBI)", String.raw`\x89PNG.{8}CgBI`, onMac],
  ['image/png', 'a PNG image', String.raw`\x89PNG\r\n\x1a\n`],
  // The size of its second header distinguishes a BMP from a text that begins with these letters.
  ['image/bmp', 'a BMP image', String.raw`BM.{12}[\x0c\x10-\x7f]\0\0\0`],
  ['image/webp', 'a WEBP image', 'RIFF.{4}WEBP'],
  ['audio/wav', 'a WAV audio file', '(RIFF|RF64|BW64).{4}WAVE'],
  ['avif', 'an AVIF image', '.{4}ftypavi[fs]'],
  ['heic', 'a HEIC image', '.{4}ftyp(hei|hev|mif1|msf1)'],
  ['m4a', 'an MP4 audio file (AAC)', '.{4}ftypM4[AB]'],
  ['mov', 'a QuickTime video', '.{4}(ftypqt|moov|wide)'],
  ['mp4', 'an MP4 video', '.{4}ftyp'],
  ['gif', 'a GIF image', 'GIF8'],
  ['tif', "a TIFF image or a camera's raw image", String.raw`II[*+U]\0|MM\0[*+]`],
  ['jxl', 'a JPEG XL image', String.raw`\xff\x0a|\0\0\0\x0cJXL `],
  ['jp2', 'a JPEG 2000 image', String.raw`\xff\x4f\xff\x51|\0\0\0\x0cjP {2}`],
  ['psd', 'a Photoshop image', '8BPS'],
  ['ico', 'an icon image', String.raw`\0\0[\x01\x02]\0`],
  ['webm', 'a Matroska or WebM video', String.raw`\x1a\x45\xdf\xa3`],
  ['avi', 'an AVI video', 'RIFF.{4}AVI '],
  ['ogg', 'an Ogg audio file', 'OggS'],
  ['flac', 'a FLAC audio file', 'fLaC'],
  ['aiff', 'an AIFF audio file', 'FORM.{4}AIF[FC]'],
  ['wma', 'a Windows Media audio file', String.raw`\x30\x26\xb2\x75`],
  ['amr', 'an AMR audio file', '#!AMR'],
  ['aac', 'an AAC audio file', String.raw`\xff[\xf0\xf1\xf8\xf9]|ADIF`],
  ['mp2', 'an MP2 audio file', String.raw`\xff[\xe4\xe5\xf4\xf5\xfc\xfd]`],
  ['audio/mpeg', 'an MP3 audio file', String.raw`ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]`],
  ['pdf', 'a PDF document', String.raw`\s*%PDF-`, firstPage],
  ['zip', 'a ZIP archive or an office document', String.raw`PK\x03\x04`, 'Send a file from within it.'],
  ['gz', 'a compressed archive', String.raw`\x1f\x8b|7z\xbc\xaf|Rar!`, 'Unpack it first.'],
  ['svg', 'an SVG image', String.raw`\s*(<[?!][^>]{0,400}>\s*)*<svg`],
  ['html', 'an HTML page', String.raw`\s*<(!(doctype|DOCTYPE) (html|HTML)|html|HTML|head|body|script)`, page],
  ['xml', 'an XML document', String.raw`\s*<[?!a-zA-Z]`, page],
  ['json', 'a JSON document', String.raw`\s*[[{]\s*["[{\]}\d]`, page],
  ['data', 'the text of a data: URL', 'data:[a-z]+/', 'Give the text itself as the URL, or decode it first.'],
  ['txt', 'a text', String.raw`\xff\xfe|\xfe\xff|[^\0-\x08\x0e-\x1f\x7f]{1,40}($|(?<=.{40}))`, page],
];
const signatures = kinds.map(([, , signature]) => new RegExp(`^(${signature})`, 's'));

function rowOf(bytes: Uint8Array): (typeof kinds)[number] | undefined {
  const start = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  const text = start.startsWith('\xef\xbb\xbf') ? start.slice(3) : start;
  return kinds[signatures.findIndex((signature) => signature.test(text))];
}

/** The kind of a file by its first bytes: its MIME type if Wan reads it, or its usual extension; undefined if it is unknown. */
export const fileKind = (bytes: Uint8Array): string | undefined => rowOf(bytes)?.[0];

/** The MIME type of an image or audio file by its first bytes; undefined for a file that Wan does not read. */
export function mediaTypeOf(bytes: Uint8Array): ImageType | AudioType | undefined {
  const kind = fileKind(bytes);
  return [...imageTypes, ...audioTypes].find((type) => type === kind);
}

/** The MIME type of a video by its first bytes; undefined for anything but MP4 and QuickTime. */
export function videoTypeOf(bytes: Uint8Array): VideoType | undefined {
  const kind = fileKind(bytes);
  return kind === 'mp4' ? 'video/mp4' : kind === 'mov' ? 'video/quicktime' : undefined;
}

const accepted = {
  image: 'JPEG, PNG, BMP and WEBP images',
  audio: 'WAV and MP3 files',
  video: 'MP4 and MOV videos',
  'image or audio': 'JPEG, PNG, BMP and WEBP images, and WAV and MP3 files',
} as const;

/** States what a file is instead of one that Wan accepts, and one way to convert it. */
export function wrongKindMessage(bytes: Uint8Array, wanted: keyof typeof accepted): string {
  const [kind, description, , advice] = rowOf(bytes) ?? ['', 'of an unknown kind', ''];
  const group = /\b(image|audio|video)\b/.exec(description)?.[1] as 'image' | 'audio' | 'video' | undefined;
  const commands = {
    image: `Convert it: \`magick 'in.${kind}[0]' out.jpg\`.`,
    audio: `Convert it: \`ffmpeg -i in.${kind} out.mp3\`.`,
    video:
      wanted === 'video'
        ? `Convert it: \`ffmpeg -i in.${kind} out.mp4\`.`
        : `Take a part of it: \`ffmpeg -i in.${kind} ${wanted === 'audio' ? 'out.mp3' : '-frames:v 1 out.jpg'}\`.`,
  };
  const command = group && (group === 'video' || wanted.includes(group)) ? ` ${commands[group]}` : '';
  return `The file is ${description}. Wan accepts ${accepted[wanted]}.${advice ? ` ${advice}` : command}`;
}
