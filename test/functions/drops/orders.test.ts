import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DropEventServices, handleDropEvent } from '../../../functions/drops/drop-event.ts';
import { type ObjectCreated, objectCreated } from '../../../functions/drops/dropped-object.ts';
import type { Table } from '../../../functions/video/table.ts';
import { startTable } from '../../support/table.ts';
import { aDropFolder } from './support.ts';

let store: Awaited<ReturnType<typeof startTable>>;
beforeAll(async () => {
  store = await startTable();
});
afterAll(() => store.close());

const sidecar = { input: { prompt: 'from the sidecar' } };

/** All orders of a list. */
const orders = <Step>(steps: readonly Step[]): Step[][] =>
  steps.length < 2
    ? [[...steps]]
    : steps.flatMap((step, at) => orders(steps.toSpliced(at, 1)).map((rest) => [step, ...rest]));

type Step = 'image' | 'image again' | 'sidecar' | 'wake-up';
const steps: Step[] = ['image', 'image again', 'sidecar', 'wake-up'];

test.each([
  ['before all events', 0],
  ['after the first', 1],
  ['after the second', 2],
  ['after the third', 3],
])('is one video in each order of its events, with the sidecar that came %s', async (_, comes) => {
  for (const order of orders(steps)) {
    const folder = aDropFolder(store.table);
    const image = folder.put('drop/cat.png');
    let event: ReturnType<typeof folder.put> | undefined;
    let wasThere: boolean | undefined;
    const see = async (step: Step) => {
      if (step === 'sidecar') {
        // An event does not come before its object.
        if (event) await folder.take(event);
      } else if (step === 'wake-up') await folder.wakeUp();
      else await folder.take(image);
      if (wasThere === undefined && (await folder.videos()).length > 0) wasThere = event !== undefined;
    };
    for (const [at, step] of order.entries()) {
      if (at === comes) event = folder.put('drop/cat.png.json', sidecar);
      await see(step);
    }
    // What came too early comes once more in the end, as every event comes at least once.
    await see('sidecar');
    await see('wake-up');
    const videos = await folder.videos();
    expect(videos, order.join(', ')).toHaveLength(1);
    expect(videos[0]!.source, order.join(', ')).toMatchObject({
      settings: { '/input/prompt': wasThere ? 'sidecar' : 'deployment' },
    });
  }
});

test('is one video whatever happens between any two steps of its events, and its sidecar is read last', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.boolean(), fc.nat(30), async (scheduler, isRequired, late) => {
      const folder = aDropFolder(store.table);
      if (isRequired) folder.put('drop/_defaults.json', { sidecar: 'required' });
      let effects = 0;
      const created: { settings: string | undefined; trace: string[] }[] = [];

      /** One invocation, each effect of which happens when the scheduler decides. */
      const invoke = async (event: ObjectCreated, waited = false): Promise<void> => {
        const trace: string[] = [];
        const gated =
          <Given extends unknown[], Result>(name: string, effect: (...given: Given) => Promise<Result>) =>
          async (...given: Given): Promise<Result> => {
            await scheduler.schedule(Promise.resolve(), name);
            const result = await effect(...given);
            if (++effects === late) copySidecar();
            const asked = given[0] as { key?: string; prefix?: string };
            trace.push(`${name} ${asked.key ?? asked.prefix ?? ''}${result === undefined ? '' : ' found'}`);
            return result;
          };
        const { services } = folder;
        const client = { send: gated('table', (command: never) => store.table.client.send(command)) };
        const own: DropEventServices = {
          ...services,
          table: { ...store.table, client: client as Table['client'] },
          findLatest: gated('latest', services.findLatest),
          readObject: gated('image', services.readObject),
          listFiles: gated('list', services.listFiles),
          readFile: gated('file', services.readFile),
          // A message may be delivered twice.
          startWait: async (object) =>
            void began.push(invoke(objectCreated(object), true), invoke(objectCreated(object), true)),
        };
        const taken = await handleDropEvent(own, event, { waited });
        if (taken?.outcome !== 'created') return;
        const { source } = taken.video;
        created.push({ settings: source.type === 'drop' ? source.settings?.['/input/prompt'] : undefined, trace });
      };

      const began: Promise<void>[] = [];
      const copied = new Set<string>();
      const copy = (key: string, body?: object) => {
        if (copied.has(key)) return;
        copied.add(key);
        const event = folder.put(key, body);
        began.push(invoke(event), invoke(event));
      };
      const copySidecar = () => copy('drop/cat.png.json', sidecar);
      const all = async () => {
        if (late === 0) copySidecar();
        copy('drop/cat.png');
        for (let at = 0; at < began.length; at++) {
          await began[at];
          if (at === began.length - 1) copySidecar();
        }
      };
      await scheduler.waitFor(all());

      expect(await folder.videos()).toHaveLength(1);
      expect(created).toHaveLength(1);
      const { settings, trace } = created[0]!;
      const reads = trace.filter((step) => !/^(table|latest)/.test(step));
      const sidecarFound = reads.includes('file drop/cat.png.json found');
      expect(reads.at(-1)).toMatch(/^(list drop\/|file drop\/cat\.png\.json) found$/);
      expect(settings).toBe(sidecarFound ? 'sidecar' : 'deployment');
      if (isRequired) expect(settings).toBe('sidecar');
      seen.add(`${settings}`);
    }),
    { numRuns: 60 },
  );
  expect([...seen].sort()).toEqual(['deployment', 'sidecar']);
});
