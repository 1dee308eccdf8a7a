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
import { type Answer, isRefused, type Operation } from './in-process.ts';

type Plain = Record<string, NativeAttributeValue>;
type Marshalled = Record<string, AttributeValue>;

/** The commands that are known, and what they ask for. */
const operations = new Map<unknown, Operation>([
  [GetCommand, 'GetItem'],
  [PutCommand, 'PutItem'],
  [UpdateCommand, 'UpdateItem'],
  [DeleteCommand, 'DeleteItem'],
  [QueryCommand, 'Query'],
  [ScanCommand, 'Scan'],
]);

/** Where these commands' inputs hold an item or a part of one. */
const itemsOfInput = ['Item', 'Key', 'ExpressionAttributeValues', 'ExclusiveStartKey'] as const;
const itemsOfOutput = ['Item', 'Attributes', 'LastEvaluatedKey'] as const;

/**
 * A document client over a DynamoDB in this process: nothing is signed, sent or parsed. Fields that are undefined are left out.
 * @throws from `send` the SDK's exceptions, and an Error for a command it does not know
 */
export function documentClientOver(answer: Answer): Pick<DynamoDBDocumentClient, 'send'> {
  async function send(command: { input: Plain }): Promise<object> {
    const operation = operations.get(command.constructor);
    if (!operation) throw new Error(`The DynamoDB in this process does not know ${command.constructor.name}.`);
    const marshalled = convert(command.input, itemsOfInput, (item) => marshall(item, { removeUndefinedValues: true }));
    const output = (await answer(operation, marshalled).catch((error: unknown) => {
      throw asException(error);
    })) as Plain & { Items?: Marshalled[] };
    return {
      $metadata: {},
      ...convert(output, itemsOfOutput, (item: Marshalled) => unmarshall(item)),
      ...(output.Items ? { Items: output.Items.map((item) => unmarshall(item)) } : {}),
    };
  }
  return { send } as Pick<DynamoDBDocumentClient, 'send'>;
}

function convert(fields: Plain, names: readonly string[], item: (item: never) => object): Plain {
  const converted = { ...fields };
  for (const name of names) if (converted[name] !== undefined) converted[name] = item(converted[name] as never);
  return converted;
}

/** What the SDK makes of a refusal. */
export function asException(error: unknown): unknown {
  if (!isRefused(error)) return error;
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
