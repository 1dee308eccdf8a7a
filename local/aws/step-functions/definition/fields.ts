/** Fields that the definition's levels may have here. Whatever is in no list is refused: the engine would ignore it. */
export const machineFields = ['Comment', 'StartAt', 'States', 'TimeoutSeconds', 'Version', 'QueryLanguage'];

const everyState = ['Type', 'Comment', 'QueryLanguage'];
const paths = ['InputPath', 'OutputPath'];
const transition = ['Next', 'End'];

export const stateFields: Record<string, readonly string[]> = {
  Task: [
    ...everyState,
    ...paths,
    ...transition,
    'Resource',
    'Parameters',
    'ResultSelector',
    'ResultPath',
    'Retry',
    'Catch',
    'TimeoutSeconds',
    'TimeoutSecondsPath',
  ],
  Pass: [...everyState, ...paths, ...transition, 'Result', 'Parameters', 'ResultPath'],
  Wait: [...everyState, ...paths, ...transition, 'Seconds', 'SecondsPath', 'Timestamp', 'TimestampPath'],
  Choice: [...everyState, ...paths, 'Choices', 'Default'],
  Succeed: [...everyState, ...paths],
  Fail: [...everyState, 'Error', 'Cause', 'ErrorPath', 'CausePath'],
};

export const retrierFields = [
  'ErrorEquals',
  'IntervalSeconds',
  'MaxAttempts',
  'BackoffRate',
  'MaxDelaySeconds',
  'JitterStrategy',
  'Comment',
];
export const catcherFields = ['ErrorEquals', 'Next', 'ResultPath', 'Comment'];

/** Of `Parameters` of `arn:aws:states:::lambda:invoke`. */
export const lambdaInvokeFields = ['FunctionName', 'Payload', 'Qualifier', 'InvocationType'];

/** The fields whose value is a path, and so may speak of the context object. */
export const pathFields = ['InputPath', 'OutputPath', 'SecondsPath', 'TimestampPath', 'TimeoutSecondsPath'];
/** The fields whose value is a path or an intrinsic function. */
export const expressionFields = ['ErrorPath', 'CausePath'];
/** The fields whose value is a payload template. */
export const templateFields = ['Parameters', 'ResultSelector'];

const ordered = ['Equals', 'LessThan', 'GreaterThan', 'LessThanEquals', 'GreaterThanEquals'];
/** What a comparison needs its variable to be; the engine compares as JavaScript does, so the type is asked for first. */
export const typeOfComparison: ReadonlyMap<string, 'IsString' | 'IsNumeric' | 'IsTimestamp' | 'IsBoolean'> = new Map([
  ...ordered.flatMap((comparison) => [
    [`String${comparison}`, 'IsString'] as const,
    [`String${comparison}Path`, 'IsString'] as const,
    [`Numeric${comparison}`, 'IsNumeric'] as const,
    [`Numeric${comparison}Path`, 'IsNumeric'] as const,
    [`Timestamp${comparison}`, 'IsTimestamp'] as const,
    [`Timestamp${comparison}Path`, 'IsTimestamp'] as const,
  ]),
  ['StringMatches', 'IsString'],
  ['BooleanEquals', 'IsBoolean'],
  ['BooleanEqualsPath', 'IsBoolean'],
]);
export const typeTests = ['IsNull', 'IsPresent', 'IsNumeric', 'IsString', 'IsBoolean', 'IsTimestamp'];

/** The functions that the engine has. */
export const intrinsics = [
  'Format',
  'StringToJson',
  'JsonToString',
  'Array',
  'ArrayPartition',
  'ArrayContains',
  'ArrayRange',
  'ArrayGetItem',
  'ArrayLength',
  'ArrayUnique',
  'Base64Encode',
  'Base64Decode',
  'Hash',
  'JsonMerge',
  'MathRandom',
  'MathAdd',
  'StringSplit',
  'UUID',
];
