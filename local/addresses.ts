/**
 * Where the stack's neighbours are when nothing else is said. A template is always synthesised with these and given the ports of this
 * run afterwards: synthesising takes seconds, and so one that was made before serves a run on any ports.
 */
export const usual = { awsUrl: 'http://127.0.0.1:4402', emulatorUrl: 'http://127.0.0.1:4401/api/v1' } as const;

/** The template, with the origins of this run in place of the usual ones. */
export function withOrigins<Template extends object>(
  template: Template,
  actual: { awsUrl: string; emulatorUrl: string | undefined },
): Template {
  const origins = new Map([
    [usual.awsUrl as string, actual.awsUrl],
    [new URL(usual.emulatorUrl).origin, new URL(actual.emulatorUrl ?? usual.emulatorUrl).origin],
  ]);
  // All at once: one run's port may be another's usual one.
  const anyUsual = /http:\/\/127\.0\.0\.1:440[12](?!\d)/g;
  return JSON.parse(JSON.stringify(template).replace(anyUsual, (origin) => origins.get(origin) ?? origin)) as Template;
}
