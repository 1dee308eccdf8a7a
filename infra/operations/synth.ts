import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../synth/bundle.ts';

/** `npm run synth`: writes the CloudFormation template with the CDK's command line, whose options it takes. */
const args = process.argv.slice(2);
const { values } = parseArgs({ args, strict: false, options: { output: { type: 'string', short: 'o' } } });
console.error('Bundling the functions and synthesizing the stack…');
const cdk = join(projectRoot, 'node_modules/aws-cdk/bin/cdk');
const child = spawn(process.execPath, [cdk, 'synth', '--quiet', ...args], { cwd: projectRoot, stdio: 'inherit' });
child.once('close', (status) => {
  const directory = resolve(projectRoot, String(values.output ?? 'cdk.out'));
  if (status === 0) console.log(`Wrote the template and the code of the functions to ${directory}.`);
  process.exitCode = status ?? 1;
});
