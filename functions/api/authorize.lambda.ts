import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { readEnvironment } from '../shared/environment.ts';
import { tableOf } from '../video/table.ts';
import { authorize } from './authorize.ts';

const environment = readEnvironment('authorize');
const table = tableOf(new DynamoDBClient({}), environment.TABLE_NAME);

export const handler = (event: APIGatewayRequestAuthorizerEvent) => authorize(table, event);
