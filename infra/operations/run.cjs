'use strict';

/**
 * Runs a TypeScript program of this project: `node infra/operations/run.cjs PROGRAM [ARGUMENT…]`.
 * Plain old JavaScript, so that an outdated Node can parse it and print its version in one line.
 */
const required = require('../../package.json').engines.node.replace('>=', '');
const actual = process.versions.node;

/** Whether a version, such as 20.19, is at most another one. */
function isAtMost(version, other) {
  const [parts, others] = [version, other].map((text) => text.split('.').map(Number));
  const index = parts.findIndex((part, position) => part !== others[position]);
  return index === -1 || parts[index] < others[index];
}

if (!isAtMost(required, actual)) {
  console.error(`firstframe needs Node ${required} or later; this is ${actual}.`);
  process.exit(1);
}

// The AWS SDK announces that its future versions need Node 22; the pinned ones do not. Every other warning is shown.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const { resolve } = require('node:path');
const { pathToFileURL } = require('node:url');

// The program sees the arguments that it would have if it were run by itself.
process.argv.splice(1, 1);
process.argv[1] = resolve(process.argv[1]);
import('tsx').then(() => import(pathToFileURL(process.argv[1]).href));
