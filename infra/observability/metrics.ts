import type { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { type MetricName, metricsNamespace, metricsService } from '../../functions/shared/metric-names.ts';
import type { PipelineFunction } from '../functions/pipeline-function.ts';

/** A figure that the functions tell, over everything they tell it of. */
export const ourMetric = (name: MetricName, statistic: string, period: Duration): Metric =>
  new Metric({
    namespace: metricsNamespace,
    metricName: name,
    dimensionsMap: { service: metricsService },
    statistic,
    period,
  });

/** The same figure once for each value that its dimensions have had: a search, so for graphs alone. */
export function ourMetricBy(name: MetricName, dimensions: readonly string[], statistic: string, period: Duration) {
  const schema = [metricsNamespace, 'service', ...dimensions].join(',');
  return new MathExpression({
    expression: `SEARCH('{${schema}} MetricName="${name}" service="${metricsService}"', '${statistic}')`,
    label: dimensions.map((dimension) => `\${PROP('Dim.${dimension}')}`).join(' '),
    period,
  });
}

/** Of a function, over all its versions: it is called by its alias alone, so that there is nothing else to count. */
export function functionMetric(
  { live }: PipelineFunction,
  name: 'Invocations' | 'Errors' | 'Duration' | 'Throttles' | 'ConcurrentExecutions',
  statistic: string,
  period: Duration,
): Metric {
  return live.lambda.metric(name, { statistic, period });
}
