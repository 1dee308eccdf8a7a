import type { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { type MetricName, metricsNamespace } from '../../functions/shared/metric-names.ts';
import type { PipelineFunction } from '../functions/pipeline-function.ts';

/** The metrics that the functions of a deployment record. */
export type DeploymentMetrics = ReturnType<typeof deploymentMetrics>;

/** @param stackName the value of the dimension `service` of all metrics */
export const deploymentMetrics = (stackName: string) => ({
  /** Returns a metric over all dimensions. */
  ourMetric: (name: MetricName, statistic: string, period: Duration): Metric =>
    new Metric({
      namespace: metricsNamespace,
      metricName: name,
      dimensionsMap: { service: stackName },
      statistic,
      period,
    }),

  /**
   * Returns the metric for each combination of dimension values. It is a search expression, which graphs support and alarms do
   * not.
   */
  ourMetricBy(name: MetricName, dimensions: readonly string[], statistic: string, period: Duration): MathExpression {
    const schema = [metricsNamespace, 'service', ...dimensions].join(',');
    return new MathExpression({
      expression: `SEARCH('{${schema}} MetricName="${name}" service="${stackName}"', '${statistic}')`,
      label: dimensions.map((dimension) => `\${PROP('Dim.${dimension}')}`).join(' '),
      period,
    });
  },
});

/** Returns a metric of a function over all its versions. It is only invoked through its alias, so this covers every invocation. */
export function functionMetric(
  { live }: PipelineFunction,
  name: 'Invocations' | 'Errors' | 'Duration' | 'Throttles' | 'ConcurrentExecutions',
  statistic: string,
  period: Duration,
): Metric {
  return live.lambda.metric(name, { statistic, period });
}
