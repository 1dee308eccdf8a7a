import type { LaneLimits } from '../shared/environment.ts';

/** What a lane may use at once and how fast. */
export interface Lane {
  model: string;
  /** Videos that may be at Wan at once: the documented concurrency and a few more, so that a freed place is taken at once. */
  permits: number;
  /** Milliseconds between two submits. */
  submit_interval_ms: number;
}

/** A lane, and what Wan makes of it: by this its queue drains. */
export interface Pace extends Lane {
  /** Tasks of the model that Wan runs at once. */
  concurrent_tasks: number;
}

/** A model's own limits, from the catalogue. */
interface ModelLimits {
  name: string;
  rate_limits: { submits_per_second: number; concurrent_tasks: number };
}

/** The lane of a model: the catalogue's limits (Wan counts per account and model), raised or lowered by the deployment. */
export function laneOf(model: ModelLimits, limits: LaneLimits): Pace {
  const own = limits.models[model.name];
  const concurrent = own?.concurrent_tasks ?? model.rate_limits.concurrent_tasks;
  const perSecond = own?.submits_per_second ?? model.rate_limits.submits_per_second;
  return {
    model: model.name,
    permits: concurrent + limits.extra_permits,
    concurrent_tasks: concurrent,
    submit_interval_ms: Math.ceil(1000 / perSecond),
  };
}
