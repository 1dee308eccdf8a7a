import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { type Configuration, ConfigurationError, readConfiguration } from './config.ts';
import { FirstframeStack } from './stack.ts';
import { bundle } from './synth/bundle.ts';

/** What `cdk synth` and `cdk deploy` run (cdk.json). */
const app = new App();
new FirstframeStack(app, 'Firstframe', { configuration: configurationOrEnd(), bundles: await bundle() });
Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }));

/** A wrong setting ends the command with the sentence that says so: where in our code it was found helps nobody. */
function configurationOrEnd(): Configuration {
  try {
    return readConfiguration(app.node.getAllContext());
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
