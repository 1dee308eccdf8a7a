import { describe, expect, test } from 'vitest';
import { models } from '../../../../functions/wan/catalogue.ts';
import { checkRequest } from '../../../../functions/wan/validation/request.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { body, findings, img_url, strict, tolerant } from './support.ts';

describe('checkRequest with hostile JSON', () => {
  test('neither inherits from nor pollutes prototypes', () => {
    const text = `{"__proto__": {"model": "wan2.6-i2v"}, "constructor": {"prototype": {"x": 1}}, "model": "wan2.6-i2v",
      "input": {"img_url": "${img_url}", "__proto__": {"prompt": "inherited"}}, "metadata": {"__proto__": "x", "constructor": "y"}}`;
    expect(findings(JSON.parse(text))).toEqual([
      '/input/__proto__ unknown_field',
      '/__proto__ unknown_field',
      '/constructor unknown_field',
      '/metadata/__proto__ invalid_name',
      '/metadata/constructor invalid_name',
    ]);
    expect(findings({ ...body(), metadata: { constructor: 'x' } }, tolerant)).toEqual([
      '/metadata/constructor invalid_name',
    ]);
    const checked = checkRequest({ ...JSON.parse(text), metadata: {} }, tolerant);
    expect(checked.ok && checked.request.input).toEqual({ media: [{ type: 'first_frame', url: img_url }] });
    expect(
      checkRequest(
        JSON.parse('{"input": {"__proto__": {"img_url": "https://a.example"}}, "model": "wan2.6-i2v"}'),
        strict,
      ).ok,
    ).toBe(false);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test('refuses a deep or huge body with a short message', () => {
    const deep = JSON.parse(
      `{"model":${'['.repeat(5000)}${']'.repeat(5000)},"input":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`,
    );
    expect(findings(deep)).toEqual(['/model wrong_type', '/input/img_url missing', '/input/a unknown_field']);
    const wide = Object.fromEntries(
      Array.from({ length: 50_000 }, (_, index) => [`${'x'.repeat(200)}${index}`, index]),
    );
    const checked = checkRequest({ ...body(), ...wide, metadata: wide, parameters: wide }, strict);
    expect(!checked.ok && checked.issues.length).toBe(50);
    expect(JSON.stringify(checked).length).toBeLessThan(20_000);
  });

  test('never throws, and accepts its own result unchanged', () => {
    const random = seededRandom(4);
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
    const scalars = [
      null,
      true,
      false,
      0,
      -1,
      5,
      1.5,
      1e308,
      '',
      'x',
      img_url,
      'multi',
      '720P',
      '\ud800',
      'data:,',
      '__proto__',
    ];
    const names = [
      'model',
      'input',
      'parameters',
      'metadata',
      'img_url',
      'prompt',
      'duration',
      'shot_type',
      'seed',
      '__proto__',
      'x/~',
    ];
    const value = (depth: number): unknown => {
      const kind = random();
      if (depth === 0 || kind < 0.5) return pick(scalars);
      if (kind < 0.65) return Array.from({ length: 3 }, () => value(depth - 1));
      return Object.fromEntries(Array.from({ length: 4 }, () => [pick(names), value(depth - 1)]));
    };
    let accepted = 0;
    for (let round = 0; round < 2500; round += 1) {
      const request: unknown =
        random() < 0.3
          ? value(4)
          : {
              ...{
                model: random() < 0.1 ? value(1) : pick(models).name,
                metadata: random() < 0.2 ? value(2) : {},
              },
              input: {
                img_url: random() < 0.1 ? value(1) : img_url,
                ...(random() < 0.3 ? { [pick(names)]: value(2) } : {}),
              },
              parameters:
                random() < 0.3 ? (value(3) ?? {}) : { [pick(['duration', 'seed', 'resolution'])]: pick(scalars) },
            };
      const checked = checkRequest(JSON.parse(JSON.stringify(request ?? null)), random() < 0.5 ? strict : tolerant);
      if (!checked.ok) {
        expect(checked.issues.length).toBeGreaterThan(0);
        continue;
      }
      accepted += 1;
      expect(checkRequest(checked.request, strict)).toMatchObject({ ok: true, request: checked.request });
    }
    expect(accepted).toBeGreaterThan(50);
  });
});
