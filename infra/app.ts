import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ConfigurationError, readConfiguration } from './config.ts';
import { FirstframeStack } from './stack.ts';
import { bundle } from './synth/bundle.ts';
import { readCatalogueFile } from './synth/catalogue-file.ts';

/** The entry point of `cdk synth` and `cdk deploy` (cdk.json). */
const app = new App();
const bundles = await bundle();
try {
  new FirstframeStack(app, 'Firstframe', {
    configuration: readConfiguration(app.node.getAllContext(), await readCatalogueFile()),
    bundles,
  });
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  // A stack trace into our code would not help the operator.
  console.error(error.message);
  process.exit(1);
}
Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));
