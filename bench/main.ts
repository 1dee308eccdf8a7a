import { archive } from './archive/archive.ts';
import { burst } from './burst/burst.ts';
import { cost } from './cost/cost.ts';
import { flood } from './flood/flood.ts';
import { footprint } from './footprint/footprint.ts';
import { polling } from './polling/polling.ts';
import { webhooks } from './webhooks/webhooks.ts';

/** The benches by name. Each prints its results and returns whether all bounds hold. */
const benches: Readonly<Record<string, (options: { seed: number }) => Promise<boolean>>> = {
  archive,
  burst,
  cost,
  flood,
  footprint,
  polling,
  webhooks,
};

const [name = ''] = process.argv.slice(2);
const bench = benches[name];
if (!bench) {
  console.error(`Name a bench (${Object.keys(benches).join(', ')}): npm run bench -- burst`);
  process.exit(2);
}
const passed = await bench({ seed: Number(process.env.SEED ?? 1) });
// Exits explicitly, since some sleepers of the simulation never wake.
process.exit(passed ? 0 : 1);
