import { describe, expect, expectTypeOf, test } from 'vitest';
import type * as z from 'zod';
import type { modelListSchema } from '../../../../functions/api/openapi/catalogue.ts';
import {
  type estimateSchema,
  modelSchema,
  type usageOfMonthSchema,
} from '../../../../functions/api/openapi/catalogue.ts';
import type { issueSchema, problemSchema } from '../../../../functions/api/openapi/problems.ts';
import {
  type failureSchema,
  type priceSchema,
  videoSchema,
  type warningSchema,
} from '../../../../functions/api/openapi/video-schema.ts';
import { listModels } from '../../../../functions/api/videos/models.ts';
import type { Usage } from '../../../../functions/api/videos/usage.ts';
import type { Issue, Warning } from '../../../../functions/shared/issues.ts';
import type { ProblemMembers } from '../../../../functions/shared/problem.ts';
import type { Failure, Source } from '../../../../functions/video/record.ts';
import type { VideoView } from '../../../../functions/video/view.ts';
import { viewOf } from '../../../../functions/video/view.ts';
import type { Price } from '../../../../functions/wan/prices.ts';
import type { VideoRequest } from '../../../../functions/wan/validation/request.ts';
import { aDeployment, aVideo, everyModel } from '../../../support/videos.ts';

type Medium = VideoView['input']['media'][number];
type Input = Flat<
  Omit<VideoView['input'], 'media'> & {
    media: Flat<Omit<Medium, 'file'> & { file?: Flat<NonNullable<Medium['file']>> }>[];
  }
>;

/** Flattens an intersection, so that two types can be compared. */
type Flat<T> = { [Key in keyof T]: T[Key] };

// Checked by tsc: a field that only one side has does not compile.
describe('response schemas equal the types of the handlers', () => {
  test('a video', () => {
    expectTypeOf<z.output<typeof videoSchema>>().toEqualTypeOf<
      Flat<
        Omit<VideoView, 'error' | 'source' | 'input'> & { error?: Flat<Failure>; source: Flat<Source>; input: Input }
      >
    >();
    expectTypeOf<z.output<typeof failureSchema>>().toEqualTypeOf<Flat<Failure>>();
    expectTypeOf<z.output<typeof priceSchema>>().toEqualTypeOf<Price>();
    expectTypeOf<z.output<typeof warningSchema>>().toEqualTypeOf<Warning>();
  });

  test('a month, an estimate, a problem', () => {
    expectTypeOf<z.output<typeof usageOfMonthSchema>>().toEqualTypeOf<Flat<Usage>>();
    expectTypeOf<z.output<typeof estimateSchema>['parameters']>().toEqualTypeOf<VideoRequest['parameters']>();
    expectTypeOf<z.output<typeof issueSchema>>().toEqualTypeOf<Issue>();
    expectTypeOf<Omit<z.output<typeof problemSchema>, 'type' | 'status' | 'request_id'>>().toExtend<ProblemMembers>();
    expectTypeOf<keyof ProblemMembers>().toExtend<keyof z.output<typeof problemSchema>>();
  });
});

describe('response schemas accept the responses and no further field', () => {
  test('a video', () => {
    const view = viewOf(aVideo({}), 0);
    expect(videoSchema.safeParse(view).error?.message).toBeUndefined();
    expect(videoSchema.safeParse({ ...view, request_hash: 'x' }).success).toBe(false);
    expect(videoSchema.safeParse({ ...view, input: { ...view.input, secret: 'x' } }).success).toBe(false);
  });

  test('the models', async () => {
    const services = { typicalSeconds: undefined, readSlowdown: async () => 2 };
    const request = { headers: {}, multiValueHeaders: {} } as Parameters<typeof listModels>[1];
    for (const deployment of [aDeployment('singapore'), aDeployment('beijing'), everyModel]) {
      const { data } = JSON.parse((await listModels({ ...services, deployment }, request)).body) as z.input<
        typeof modelListSchema
      >;
      for (const model of data) expect(modelSchema.safeParse(model).error?.message).toBeUndefined();
    }
  });
});
