import type { APIGatewayProxyResult } from 'aws-lambda';
import * as z from 'zod';
import { readSpending, type Spending } from '../../ledger/spending.ts';
import type { Caller } from '../../shared/caller.ts';
import { monthOf } from '../../video/record.ts';
import type { Table } from '../../video/table.ts';
import { type Region, regions } from '../../wan/regions.ts';
import { withEtag } from '../http/conditional-requests.ts';
import { readQuery } from '../http/query.ts';
import { type ApiRequest, json } from '../http/request.ts';

export interface UsageServices {
  table: Table;
  wanRegion: Region;
  /** What an owner may spend in a calendar month, in the region's currency; undefined without a limit. */
  monthlySpendingLimit: number | undefined;
}

/** An owner's month in `GET /usage`. Amounts are in units of `currency`. */
export interface Usage extends Spending {
  /** `YYYY-MM`, UTC. */
  month: string;
  currency: 'USD' | 'CNY';
  limit: number | null;
  /** What is left of the limit after spent and reserved amounts; null without a limit. */
  remaining: number | null;
}

export const usageQuery = z.strictObject({
  month: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/, { error: 'Give a month such as 2026-01, or leave it out for this one.' })
    .optional(),
});

/** `GET /usage`: what the caller has spent in a month, and what is reserved for videos in progress. */
export async function getUsage(
  { table, wanRegion, monthlySpendingLimit }: UsageServices,
  request: ApiRequest,
  { owner }: Caller,
): Promise<APIGatewayProxyResult> {
  const { month = monthOf(table.now()) } = readQuery(request, usageQuery);
  const { spent, reserved, videos, models } = await readSpending(table, owner, month);
  const usage: Usage = {
    month,
    currency: regions[wanRegion].currency,
    spent,
    reserved,
    limit: monthlySpendingLimit ?? null,
    remaining: monthlySpendingLimit === undefined ? null : remainder(monthlySpendingLimit, spent + reserved),
    videos,
    models,
  };
  return withEtag(request, json(200, usage));
}

/** Rounded to a millionth; 0 where the limit was lowered below what is spent. */
const remainder = (limit: number, committed: number): number =>
  Math.max(0, Math.round((limit - committed) * 1e6) / 1e6);
