import { createMetricRecorder } from '../shared/metrics.ts';
import { composeCanary } from './maintenance.ts';
import { entry, secrets } from './platform.ts';

export const handler = entry('canary', composeCanary, { secrets: secrets(), recordMetric: createMetricRecorder() });
