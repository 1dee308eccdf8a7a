/**
 * How a Task names its function: directly by ARN, or through the Lambda integration. undefined for all other services
 * and for the patterns that wait (`.sync`, `.waitForTaskToken`).
 */
export function resourceKind(resource: string): 'function' | 'lambda:invoke' | undefined {
  if (/^arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:[\w-]+(:[\w$-]+)?$/.test(resource)) return 'function';
  if (/^arn:aws[\w-]*:states:[^:]*:[^:]*:lambda:invoke$/.test(resource)) return 'lambda:invoke';
  return undefined;
}
