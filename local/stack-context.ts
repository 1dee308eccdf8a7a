import { regions } from '../functions/wan/regions.ts';
import type { LocalSettings } from './settings.ts';

/** Settings of the stack that depend on this machine. */
interface LocalContext extends Record<string, unknown> {
  trustedOrigins: readonly string[];
}

/**
 * Returns the configuration (CDK context) of the stack on this machine.
 * @param awsUrl address of the AWS endpoint
 * @param emulatorUrl base URL of the emulator, unless the real Wan is used
 * @param overrides settings that replace the local ones; `trustedOrigins` are added to the local ones
 */
export function stackContext(
  settings: LocalSettings,
  awsUrl: string,
  emulatorUrl: string | undefined,
  { trustedOrigins = [], ...overrides }: Record<string, unknown> = {},
): Record<string, unknown> {
  const own = localContext(settings, awsUrl, emulatorUrl);
  return { ...own, ...overrides, trustedOrigins: [...own.trustedOrigins, ...(trustedOrigins as readonly string[])] };
}

function localContext({ wan }: LocalSettings, awsUrl: string, emulatorUrl: string | undefined): LocalContext {
  const common = {
    removalPolicy: 'destroy',
    drop: { owner: 'local' },
    loopbackWebhooks: true,
    // A function has at most 8 workers here, and some must stay free for requests that do not wait.
    longPolls: { perOwner: 4, total: 5 },
  };
  if (wan.kind === 'emulator' && emulatorUrl !== undefined)
    return {
      ...common,
      wanBaseUrl: emulatorUrl,
      imageTransfer: 'url',
      trustedOrigins: [new URL(emulatorUrl).origin, awsUrl],
      // Must be positive.
      typicalSeconds: Math.max(1, wan.task_seconds),
      // The emulator responds immediately, so a lost submission shows in its list within seconds.
      uncertainSeconds: 15,
      // Emulated videos have the prices of the service but are not billed.
      monthlySpendingLimit: 'none',
    };
  const wanBaseUrl = wan.kind === 'real' ? wan.base_url : undefined;
  const loopback = wanBaseUrl !== undefined && /^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(wanBaseUrl);
  return {
    ...common,
    ...(wanBaseUrl === undefined ? {} : { wanBaseUrl }),
    // Prices and limits depend on the region.
    region: wanBaseUrl === regions.beijing.base_url ? 'beijing' : 'singapore',
    // Wan cannot reach this machine.
    imageTransfer: 'upload',
    trustedOrigins: [...(loopback ? [new URL(wanBaseUrl).origin] : []), awsUrl],
  };
}
