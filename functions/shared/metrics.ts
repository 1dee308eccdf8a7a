import { Metrics } from '@aws-lambda-powertools/metrics';
import { type MetricName, metricsNamespace, metricUnits } from './metric-names.ts';

export type { MetricName };

/** Records a metric, in total and by its dimensions. @param dimensions must have few values each, since each combination is a metric */
export type RecordMetric = (name: MetricName, value?: number, dimensions?: Readonly<Record<string, string>>) => void;

/**
 * Records metrics as log lines in CloudWatch's embedded metric format, so that no call can fail or delay. A metric with
 * dimensions is recorded twice, with and without them, because CloudWatch does not aggregate over dimensions. All have the
 * dimension `service`, the stack's name, which Powertools reads from POWERTOOLS_SERVICE_NAME.
 */
export function createMetricRecorder(): RecordMetric {
  const metrics = new Metrics({ namespace: metricsNamespace });
  const emit = (name: MetricName, value: number, dimensions: Readonly<Record<string, string>>) => {
    const single = metrics.singleMetric();
    for (const [dimension, text] of Object.entries(dimensions)) single.addDimension(dimension, text);
    single.addMetric(name, metricUnits[name], value);
  };
  return (name, value = 1, dimensions = {}) => {
    emit(name, value, {});
    if (Object.keys(dimensions).length > 0) emit(name, value, dimensions);
  };
}
