import type { APIGatewayProxyResult } from 'aws-lambda';
import { readVideo } from '../../video/store.ts';
import type { Table } from '../../video/table.ts';
import { json } from '../http/request.ts';

/** `GET /health`: 200 when the table can be read, otherwise 503. Reveals nothing about videos. */
export async function health(table: Table, logError: (error: unknown) => void): Promise<APIGatewayProxyResult> {
  try {
    await readVideo(table, 'health');
    return json(200, { status: 'ok' });
  } catch (error) {
    logError(error);
    return json(503, { status: 'unavailable' }, { 'retry-after': '5' });
  }
}
