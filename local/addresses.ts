/**
 * The default addresses of what the stack calls. Every template is synthesized with these, and `withOrigins` puts in the ports of the
 * run afterwards: synthesizing takes seconds, and this way a cached template serves any ports.
 */
export const defaultAddresses = {
  awsUrl: 'http://127.0.0.1:4402',
  emulatorUrl: 'http://127.0.0.1:4401/api/v1',
} as const;

/** Returns the template with the origins of this run in place of the default ones. */
export function withOrigins<Template extends object>(
  template: Template,
  actual: { awsUrl: string; emulatorUrl: string | undefined },
): Template {
  const origins = new Map([
    [defaultAddresses.awsUrl as string, actual.awsUrl],
    [new URL(defaultAddresses.emulatorUrl).origin, new URL(actual.emulatorUrl ?? defaultAddresses.emulatorUrl).origin],
  ]);
  // In one pass, because the new AWS port may be the default port of the emulator.
  const defaultOrigin = /http:\/\/127\.0\.0\.1:440[12](?!\d)/g;
  return JSON.parse(
    JSON.stringify(template).replace(defaultOrigin, (origin) => origins.get(origin) ?? origin),
  ) as Template;
}
