import { CustomSource, Input, type InputVideoTrack, MP4 } from 'mediabunny';
import { hasValidIndex, maxSamples, readTopLevelBoxes } from './boxes.ts';
import { type ByteSource, inBlocks } from './byte-source.ts';
import { type ProvenanceMarks, readProvenanceMarks } from './provenance.ts';

export type InspectedVideo =
  | ({
      ok: true;
      /** As RFC 6381 names them, video first: `avc1.64001f`, `mp4a.40.2`. */
      codecs: string[];
      width: number;
      height: number;
      /** Frames per second on average, rounded to a thousandth. */
      fps: number;
      duration_seconds: number;
      has_audio: boolean;
    } & ProvenanceMarks)
  | { ok: false; reason: keyof typeof messages; message: string };

const messages = {
  truncated: 'The file ends before its contents do.',
  not_mp4: 'The file is no MP4.',
  no_h264_video: 'The MP4 holds no H.264 video.',
  unreadable: "The MP4's index cannot be read.",
} as const;

const failed = (reason: keyof typeof messages): InspectedVideo => ({ ok: false, reason, message: messages[reason] });

/**
 * Checks that a file is a complete MP4 with H.264 video and describes it. Reads only the index, in a few ranges of 256 KiB.
 *
 * @throws the error of a failed `source.read`, since it does not concern the file
 */
export async function inspectMp4(source: ByteSource): Promise<InspectedVideo> {
  let readFailure: { error: unknown } | undefined;
  const blocks = inBlocks({
    size: source.size,
    read: (start, end) =>
      source.read(start, end).catch((error) => {
        readFailure = { error };
        throw error;
      }),
  });
  const boxes = await readTopLevelBoxes(blocks);
  if (typeof boxes === 'string') return failed(boxes);
  if (!(await hasValidIndex(blocks, boxes))) return failed('unreadable');
  const input = new Input({
    formats: [MP4],
    source: new CustomSource({ getSize: () => blocks.size, read: (start, end) => blocks.read(start, end) }),
  });
  try {
    const video = await input.getPrimaryVideoTrack();
    if (!video || (await video.getCodec()) !== 'avc') return failed('no_h264_video');
    return await describe(input, video, await readProvenanceMarks(blocks, boxes));
  } catch {
    if (readFailure) throw readFailure.error;
    return failed('unreadable');
  } finally {
    input.dispose();
  }
}

async function describe(input: Input, video: InputVideoTrack, marks: ProvenanceMarks): Promise<InspectedVideo> {
  const audio = await input.getAudioTracks();
  const codecs = await Promise.all([video, ...audio].map((track) => track.getCodecParameterString()));
  const { packetCount, averagePacketRate } = await video.computePacketStats(maxSamples);
  const [start, end] = [await video.getFirstTimestamp(), await video.computeDuration()];
  if (packetCount === 0 || !(end > start)) return failed('no_h264_video');
  return {
    ok: true,
    codecs: codecs.filter((codec) => codec !== null),
    width: await video.getDisplayWidth(),
    height: await video.getDisplayHeight(),
    fps: Math.round(averagePacketRate * 1000) / 1000,
    duration_seconds: Math.round((end - start) * 1000) / 1000,
    has_audio: audio.length > 0,
    ...marks,
  };
}
