import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { type Configuration, ConfigurationError, readConfiguration } from './config.ts';
import { FirstframeStack } from './stack.ts';
import { bundle } from './synth/bundle.ts';

/** The entry point of `cdk synth` and `cdk deploy` (cdk.json). */
const app = new App();
new FirstframeStack(app, 'Firstframe', { configuration: configurationOrExit(), bundles: await bundle() });
Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));

/** Prints the message of an invalid configuration and exits. A stack trace into our code would not help the operator. */
function configurationOrExit(): Configuration {
  try {
    return readConfiguration(app.node.getAllContext());
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
