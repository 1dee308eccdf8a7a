import * as z from 'zod';

/** A JSON value. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

/** Reference paths of the form `$` and `$.name.name`. */
const path = z.string().regex(/^\$(\.[A-Za-z_]\w*)*$/, 'only paths of the form $ and $.name.name are supported');

/** The supported fields of the context object. */
const contextPaths = ['$$.Task.Token', '$$.Execution.Id', '$$.Execution.Name'];

/** The reserved error names that this interpreter raises and that can be retried or caught. */
const handledErrors = [
  'States.ALL',
  'States.DataLimitExceeded',
  'States.ResultPathMatchFailure',
  'States.TaskFailed',
  'States.Timeout',
];
const errorEquals = z
  .array(
    z.string().refine((name) => !name.startsWith('States.') || handledErrors.includes(name), {
      error: ({ input }) => `${input} is not an error that can be handled here`,
    }),
  )
  .min(1);

/** States.ALL catches every error, so it must be alone in the last item. */
const isCatchAllLast = (items: readonly { ErrorEquals: string[] }[]): boolean =>
  items.every(
    ({ ErrorEquals }, index) =>
      !ErrorEquals.includes('States.ALL') || (ErrorEquals.length === 1 && index === items.length - 1),
  );
const catchAllMessage = 'States.ALL must be the only error of the last item';

const seconds = z.int().min(1).max(99_999_999);

const retrier = z.strictObject({
  ErrorEquals: errorEquals,
  IntervalSeconds: seconds.default(1),
  MaxAttempts: z.int().min(0).max(99_999_999).default(3),
  BackoffRate: z.number().min(1).default(2),
  MaxDelaySeconds: seconds.default(99_999_999),
});

const catcher = z.strictObject({
  ErrorEquals: errorEquals,
  ResultPath: path.nullable().default('$'),
  Next: z.string(),
});

const updateItemFields = [
  'TableName',
  'Key',
  'UpdateExpression',
  'ConditionExpression',
  'ExpressionAttributeNames',
  'ExpressionAttributeValues',
];

/** The supported integrations: a function by its ARN, and an UpdateItem that waits for the task token. */
const functionArn = /^arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:[\w-]+(:[\w$-]+)?$/;
const tokenTask = /^arn:aws[\w-]*:states:::aws-sdk:dynamodb:updateItem\.waitForTaskToken$/;

const task = z
  .strictObject({
    Type: z.literal('Task'),
    Resource: z.string().refine((resource) => functionArn.test(resource) || tokenTask.test(resource), {
      error: ({ input }) => `${input} is neither a function's ARN nor aws-sdk:dynamodb:updateItem.waitForTaskToken`,
    }),
    Parameters: z.record(z.string(), z.json()).optional(),
    ResultPath: path.nullable().default('$'),
    TimeoutSeconds: seconds.optional(),
    TimeoutSecondsPath: path.optional(),
    Retry: z.array(retrier).refine(isCatchAllLast, catchAllMessage).default([]),
    Catch: z.array(catcher).refine(isCatchAllLast, catchAllMessage).default([]),
    Next: z.string().optional(),
    End: z.literal(true).optional(),
  })
  .superRefine((state, context) => {
    const addIssue = (message: string, ...at: string[]) => context.addIssue({ code: 'custom', message, path: at });
    if ((state.Next === undefined) === (state.End === undefined)) addIssue('needs either Next or End');
    if (state.TimeoutSeconds !== undefined && state.TimeoutSecondsPath !== undefined)
      addIssue('has both TimeoutSeconds and TimeoutSecondsPath');
    const usesToken = waitsForToken(state);
    for (const [at, value] of valuesIn(state.Parameters ?? {})) {
      if (!at.at(-1)!.endsWith('.$')) continue;
      const isSupported = path.safeParse(value).success || contextPaths.includes(String(value));
      if (!isSupported) addIssue(`${value} is not supported`, 'Parameters', ...at);
      if (value === '$$.Task.Token' && !usesToken) addIssue('has no task token', 'Parameters', ...at);
    }
    if (!usesToken) return;
    for (const field of Object.keys(state.Parameters ?? {})) {
      if (!updateItemFields.includes(field)) addIssue('is not supported', 'Parameters', field);
    }
    for (const [at, value] of attributesIn(state.Parameters ?? {})) {
      const [type = '', ...more] = Object.keys(value ?? {});
      const isSupported = ['S', 'N', 'S.$', 'N.$'].includes(type) && more.length === 0;
      if (!isSupported) addIssue('only S and N are supported', 'Parameters', ...at);
    }
  });

const choiceRule = z.strictObject({ Variable: path, StringEquals: z.string(), Next: z.string() });

const state = z.discriminatedUnion(
  'Type',
  [
    task,
    z.strictObject({ Type: z.literal('Choice'), Choices: z.array(choiceRule).min(1) }),
    z.strictObject({ Type: z.literal('Succeed') }),
  ],
  { error: ({ input }) => `the type ${(input as { Type?: unknown } | null)?.Type} is not supported` },
);

const machine = z
  .strictObject({
    Comment: z.string().optional(),
    StartAt: z.string(),
    TimeoutSeconds: seconds.optional(),
    States: z.record(z.string(), state),
  })
  .superRefine(({ StartAt, States }, context) => {
    const targets = Object.entries(States).flatMap(([name, each]): [string, string | undefined][] => {
      if (each.Type === 'Choice') return each.Choices.map(({ Next }) => [name, Next]);
      return each.Type === 'Task'
        ? [[name, each.Next], ...each.Catch.map(({ Next }): [string, string] => [name, Next])]
        : [];
    });
    for (const [from, target] of [['StartAt', StartAt] as const, ...targets]) {
      if (target !== undefined && !Object.hasOwn(States, target))
        context.addIssue({ code: 'custom', message: `refers to ${target}, which does not exist`, path: [from] });
    }
  });

export type StateMachine = z.infer<typeof machine>;
export type State = z.infer<typeof state>;
export type Task = z.infer<typeof task>;
export type Choice = Extract<State, { Type: 'Choice' }>;

export const waitsForToken = ({ Resource }: Pick<Task, 'Resource'>): boolean => tokenTask.test(Resource);

/**
 * Reads a definition in the Amazon States Language.
 * @throws Error that names every state and field whose behavior would differ from AWS
 */
export function readStateMachine(name: string, definition: unknown): StateMachine {
  const { success, data, error } = machine.safeParse(definition);
  if (success) return data;
  const issues = error.issues.map((issue) => `- ${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The local Step Functions cannot run the state machine ${name}:\n${issues.join('\n')}`);
}

/** Returns the attribute values in the parameters of UpdateItem with their paths. */
export function attributesIn({ Key, ExpressionAttributeValues }: JsonObject): [path: string[], value: Json][] {
  return Object.entries({ Key, ExpressionAttributeValues }).flatMap(([field, attributes]) =>
    Object.entries(attributes ?? {}).map(([name, value]): [string[], Json] => [[field, name], value as Json]),
  );
}

/** Returns all leaf values of nested objects with their paths. */
function valuesIn(object: JsonObject | Json[], path: string[] = []): [path: string[], value: Json][] {
  return Object.entries(object).flatMap(([key, value]): [string[], Json][] =>
    typeof value === 'object' && value !== null && !key.endsWith('.$')
      ? valuesIn(value, [...path, key])
      : [[[...path, key], value]],
  );
}
