import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import ffprobe from '@ffprobe-installer/ffprobe';

export interface Probed {
  codec: string;
  width: number;
  height: number;
  fps: number;
  seconds: number;
}

/** Returns what ffprobe, an independent reader, finds in a file or at a URL. */
export async function probe(address: string): Promise<Probed> {
  const { stdout } = await promisify(execFile)(ffprobe.path, [
    ...['-v', 'error', '-select_streams', 'v:0', '-of', 'json'],
    ...['-show_entries', 'stream=codec_name,width,height,r_frame_rate:format=duration'],
    address,
  ]);
  const { streams, format } = JSON.parse(stdout) as {
    streams: { codec_name: string; width: number; height: number; r_frame_rate: string }[];
    format: { duration: string };
  };
  const { codec_name, width, height, r_frame_rate } = streams[0]!;
  const [frames, per] = r_frame_rate.split('/').map(Number);
  return { codec: codec_name, width, height, fps: frames! / per!, seconds: Number(format.duration) };
}
