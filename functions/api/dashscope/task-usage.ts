import type { VideoRecord } from '../../video/record.ts';
import { findModel } from '../../wan/catalogue.ts';
import { billedSeconds } from '../../wan/query-task.ts';
import type { TaskUsage } from './schemas.ts';

/** The `usage` of a SUCCEEDED task, with the members of its model's family (reference, "usage object"). */
export function taskUsage({ model: name, parameters, usage }: VideoRecord): TaskUsage {
  const model = findModel(name);
  const duration = billedSeconds(usage) ?? parameters.duration ?? 0;
  const SR = Number.parseInt(parameters.resolution ?? '', 10) || (usage?.SR ?? 0);
  switch (model?.usage_family) {
    case 'wan2.1':
      return { video_duration: duration, video_ratio: 'standard', video_count: 1 };
    case 'wan2.6':
      return {
        duration,
        input_video_duration: 0,
        output_video_duration: duration,
        video_count: 1,
        SR,
        ...(model.audio_switch ? { audio: parameters.audio ?? true } : {}),
      };
    default:
      return { duration, video_count: 1, SR };
  }
}
