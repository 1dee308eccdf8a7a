import { regions } from '../functions/wan/regions.ts';
import type { LocalSettings } from './settings.ts';

/**
 * The configuration (CDK context) of the stack on this machine.
 * @param awsUrl the AWS endpoint's address
 * @param emulatorUrl the emulator's base URL, unless the real Wan is used
 */
export function stackContext(
  { wan }: LocalSettings,
  awsUrl: string,
  emulatorUrl: string | undefined,
): Record<string, unknown> {
  const common = { removalPolicy: 'destroy', drop: { owner: 'local' } };
  if (wan.kind === 'emulator' && emulatorUrl !== undefined)
    return {
      ...common,
      wanBaseUrl: emulatorUrl,
      imageTransfer: 'url',
      trustedOrigins: [new URL(emulatorUrl).origin, awsUrl],
      // It must be positive, and a check every few seconds is soon enough for a task that takes no time.
      typicalSeconds: Math.max(1, wan.task_seconds),
      // The emulator answers at once and ends with this stack, so a lost call is soon known to be over.
      uncertainSeconds: 15,
    };
  const wanBaseUrl = wan.kind === 'real' ? wan.base_url : undefined;
  const loopback = wanBaseUrl !== undefined && /^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(wanBaseUrl);
  return {
    ...common,
    ...(wanBaseUrl === undefined ? {} : { wanBaseUrl }),
    // Prices and limits are the region's.
    region: wanBaseUrl === regions.beijing.base_url ? 'beijing' : 'singapore',
    // Wan can't reach this machine.
    imageTransfer: 'upload',
    trustedOrigins: [...(loopback ? [new URL(wanBaseUrl).origin] : []), awsUrl],
  };
}
