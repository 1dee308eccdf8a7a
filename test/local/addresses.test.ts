import { expect, test } from 'vitest';
import { usual, withOrigins } from '../../local/addresses.ts';

const template = {
  Variables: { WAN: usual.emulatorUrl, TRUSTED: JSON.stringify(['http://127.0.0.1:4401', usual.awsUrl]) },
};

test('a template gets the origins of this run, also when they are the usual ones of another', () => {
  const swapped = { awsUrl: 'http://127.0.0.1:4401', emulatorUrl: 'http://127.0.0.1:4402/api/v1' };
  expect(withOrigins(template, swapped)).toEqual({
    Variables: {
      WAN: 'http://127.0.0.1:4402/api/v1',
      TRUSTED: '["http://127.0.0.1:4402","http://127.0.0.1:4401"]',
    },
  });
});

test('without an emulator only the endpoint of AWS is another', () => {
  const { Variables } = withOrigins(template, { awsUrl: 'http://127.0.0.1:50000', emulatorUrl: undefined });
  expect(Variables).toEqual({ WAN: usual.emulatorUrl, TRUSTED: '["http://127.0.0.1:4401","http://127.0.0.1:50000"]' });
});

test('a longer port that begins alike is another address', () => {
  const other = { Url: 'http://127.0.0.1:44015/' };
  expect(withOrigins(other, { awsUrl: 'http://127.0.0.1:1', emulatorUrl: 'http://127.0.0.1:2/api/v1' })).toEqual(other);
});
