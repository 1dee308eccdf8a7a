import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { marshall, type NativeAttributeValue, unmarshall } from '@aws-sdk/util-dynamodb';
import { type Execute, isDynaliteError, type Operation } from './in-process.ts';

type Plain = Record<string, NativeAttributeValue>;
type Marshalled = Record<string, AttributeValue>;

/** The supported commands and their operations. */
const operations = new Map<unknown, Operation>([
  [GetCommand, 'GetItem'],
  [PutCommand, 'PutItem'],
  [UpdateCommand, 'UpdateItem'],
  [DeleteCommand, 'DeleteItem'],
  [QueryCommand, 'Query'],
  [ScanCommand, 'Scan'],
]);

/** Input and output fields that hold items or parts of items. */
const inputItems = ['Item', 'Key', 'ExpressionAttributeValues', 'ExclusiveStartKey'] as const;
const outputItems = ['Item', 'Attributes', 'LastEvaluatedKey'] as const;

/**
 * Returns a document client that calls a DynamoDB in this process, without signing or network. Removes undefined
 * values.
 * @throws from `send`: the SDK's exceptions, and an Error for an unsupported command
 */
export function createDocumentClient(execute: Execute): Pick<DynamoDBDocumentClient, 'send'> {
  async function send(command: { input: Plain }): Promise<object> {
    const operation = operations.get(command.constructor);
    if (!operation) throw new Error(`The in-process DynamoDB does not support ${command.constructor.name}.`);
    const marshalled = convert(command.input, inputItems, (convertItem) =>
      marshall(convertItem, { removeUndefinedValues: true }),
    );
    const output = (await execute(operation, marshalled).catch((error: unknown) => {
      throw toSdkException(error);
    })) as Plain & { Items?: Marshalled[] };
    return {
      $metadata: {},
      ...convert(output, outputItems, (convertItem: Marshalled) => unmarshall(convertItem)),
      ...(output.Items ? { Items: output.Items.map((convertItem) => unmarshall(convertItem)) } : {}),
    };
  }
  return { send } as Pick<DynamoDBDocumentClient, 'send'>;
}

function convert(fields: Plain, names: readonly string[], convertItem: (convertItem: never) => object): Plain {
  const converted = { ...fields };
  for (const name of names) if (converted[name] !== undefined) converted[name] = convertItem(converted[name] as never);
  return converted;
}

/** Converts an error of dynalite to the SDK's exception. Returns other errors unchanged. */
export function toSdkException(error: unknown): unknown {
  if (!isDynaliteError(error)) return error;
  const { __type, message = error.body.Message ?? '' } = error.body;
  const name = __type.slice(__type.indexOf('#') + 1);
  const $metadata = { httpStatusCode: error.statusCode };
  switch (name) {
    case 'ConditionalCheckFailedException':
      return new ConditionalCheckFailedException({ message, $metadata });
    case 'ResourceNotFoundException':
      return new ResourceNotFoundException({ message, $metadata });
    default:
      return new DynamoDBServiceException({ name, message, $fault: 'client', $metadata });
  }
}
