import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { bundle } from './bundle.ts';
import { readConfiguration } from './config.ts';
import { FirstframeStack } from './stack.ts';

/** What `cdk synth` and `cdk deploy` run (cdk.json). */
const app = new App();
const configuration = readConfiguration(app.node.getAllContext());
new FirstframeStack(app, 'Firstframe', { configuration, bundles: await bundle() });
Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
