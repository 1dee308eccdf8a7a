import { regions } from '../functions/wan/regions.ts';
import type { LocalSettings } from './settings.ts';

/** Settings of the stack that this machine decides. */
interface LocalContext extends Record<string, unknown> {
  trustedOrigins: readonly string[];
}

/**
 * The configuration (CDK context) of the stack on this machine.
 * @param awsUrl the AWS endpoint's address
 * @param emulatorUrl the emulator's base URL, unless the real Wan is used
 * @param given settings over this machine's; origins that are trusted are added to its own
 */
export function stackContext(
  settings: LocalSettings,
  awsUrl: string,
  emulatorUrl: string | undefined,
  { trustedOrigins = [], ...given }: Record<string, unknown> = {},
): Record<string, unknown> {
  const own = localContext(settings, awsUrl, emulatorUrl);
  return { ...own, ...given, trustedOrigins: [...own.trustedOrigins, ...(trustedOrigins as readonly string[])] };
}

function localContext({ wan }: LocalSettings, awsUrl: string, emulatorUrl: string | undefined): LocalContext {
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
      // Its prices are those of the service, but nobody is ever asked for the money.
      monthlySpendingLimit: 'none',
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
