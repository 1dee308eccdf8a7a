import { localS3 } from '../support/endpoint.ts';
import { type LocalProcess, startProcess } from '../support/local-process.ts';
import { openFaultLog } from './fault-log.ts';
import type { FaultPlan } from './fault-plan.ts';
import { timelineReader } from './observer.ts';
import { type Receiver, type ReceiverPlan, startReceiver } from './receiver.ts';
import { startWanProxy, type WanProxy } from './wan-proxy.ts';
import { owners } from './wanted-videos.ts';

/** The stack in a separate process with faults, the proxy between it and the emulator, and the receiver of webhooks. */
export interface Stage {
  directory: string;
  proxy: WanProxy;
  receiver: Receiver;
  /** Addresses of the stack, the same in every life. */
  addresses(): Pick<LocalProcess, 'api_url' | 'wan_url' | 'aws_url'>;
  s3: ReturnType<typeof localS3>;
  /** Kills the process and starts another one with the same ports and directory. */
  killAndRestart(): Promise<void>;
  /** Stops injecting faults. */
  endFaults(): void;
  close(): Promise<void>;
}

export type StageSettings = Pick<FaultPlan, 'seed' | 'setbacks' | 'workers'> & { receiver: Omit<ReceiverPlan, 'seed'> };

/** Starts all. @param directory holds all state */
export async function openStage(
  directory: string,
  { receiver: receiverPlan, ...settings }: StageSettings,
): Promise<Stage> {
  const log = openFaultLog(directory);
  const proxy = await startWanProxy(settings, log);
  const ports: Record<string, string> = { PORT: '0', WAN_PORT: '0', AWS_PORT: '0' };
  let life = 0;
  let closed = false;
  const start = async (): Promise<LocalProcess> => {
    const plan: FaultPlan = { ...settings, life: life++, wan_url: proxy.url, owners };
    const environment = { LOCAL_DIR: directory, WAN_TASK_SECONDS: '1', FAULT_PLAN: JSON.stringify(plan), ...ports };
    const started = await startProcess(environment, 'test/faults/start.ts');
    ports.PORT = new URL(started.api_url).port;
    ports.WAN_PORT = new URL(started.wan_url).port;
    ports.AWS_PORT = new URL(started.aws_url).port;
    proxy.setTarget(started.wan_url);
    return started;
  };
  let running = await start();
  const readTimeline = timelineReader();
  const receiver = await startReceiver({ seed: settings.seed, ...receiverPlan }, log, (id) =>
    readTimeline(running.aws_url, id),
  );
  const s3 = localS3(running.aws_url);
  return {
    directory,
    proxy,
    receiver,
    s3,
    addresses: () => running,
    async killAndRestart() {
      await running.kill();
      log.add('Process killed', `life ${life - 1}`);
      if (closed) return;
      running = await start();
      // The test may have timed out during the start.
      if (closed) await running.kill();
    },
    endFaults() {
      proxy.end();
      receiver.end();
      running.signal('SIGUSR2');
    },
    async close() {
      closed = true;
      await running.kill();
      s3.destroy();
      await Promise.all([proxy.close(), receiver.close()]);
    },
  };
}
