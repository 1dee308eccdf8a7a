/** Grants that no call of the tests uses, and why they are there all the same. Whatever is in no row must be used. */
export const acknowledged: readonly { actions: readonly string[]; role?: RegExp; why: string }[] = [
  {
    actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
    why: 'Lambda itself sends traces under the function’s role; there are none on this machine.',
  },
  {
    actions: ['xray:GetSamplingRules', 'xray:GetSamplingTargets'],
    role: /StateMachine/,
    why: 'Step Functions asks how many traces to take; there are none on this machine.',
  },
  {
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    why: 'Lambda itself writes the log under the function’s role; here it writes to a file.',
  },
];
