import { archive } from './archive/archive.ts';
import { burst } from './burst/burst.ts';
import { cost } from './cost/cost.ts';
import { footprint } from './footprint/footprint.ts';
import { polling } from './polling/polling.ts';

/** Benches by name: each prints what it finds and says whether its bounds hold. */
const benches: Readonly<Record<string, (options: { seed: number }) => Promise<boolean>>> = {
  archive,
  burst,
  cost,
  footprint,
  polling,
};

const [name = ''] = process.argv.slice(2);
const bench = benches[name];
if (!bench) {
  console.error(`Which bench? One of ${Object.keys(benches).join(', ')}: npm run bench -- burst`);
  process.exit(2);
}
const held = await bench({ seed: Number(process.env.SEED ?? 1) });
// Some sleepers of the simulation never wake.
process.exit(held ? 0 : 1);
