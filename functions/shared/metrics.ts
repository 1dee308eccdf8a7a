import { Metrics } from '@aws-lambda-powertools/metrics';
import { type MetricName, metricsNamespace, metricsService, metricUnits } from './metric-names.ts';

export type { MetricName };

/** Tells a figure. @param dimensions by which it may be told apart beside the total; few values each, since each is a metric of its own */
export type RecordMetric = (name: MetricName, value?: number, dimensions?: Readonly<Record<string, string>>) => void;

/**
 * Figures as lines of the log, from which CloudWatch makes metrics (its embedded metric format): nothing is called, so nothing can
 * fail or wait. With dimensions a figure is told twice, in all and by them, since CloudWatch adds up nothing over dimensions.
 */
export function createMetricRecorder(): RecordMetric {
  const metrics = new Metrics({ namespace: metricsNamespace, serviceName: metricsService });
  const tell = (name: MetricName, value: number, dimensions: Readonly<Record<string, string>>) => {
    const single = metrics.singleMetric();
    for (const [dimension, text] of Object.entries(dimensions)) single.addDimension(dimension, text);
    single.addMetric(name, metricUnits[name], value);
  };
  return (name, value = 1, dimensions = {}) => {
    tell(name, value, {});
    if (Object.keys(dimensions).length > 0) tell(name, value, dimensions);
  };
}
