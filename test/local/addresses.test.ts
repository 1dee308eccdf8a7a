import { expect, test } from 'vitest';
import { defaultAddresses, withOrigins } from '../../local/addresses.ts';

const template = {
  Variables: {
    WAN: defaultAddresses.emulatorUrl,
    TRUSTED: JSON.stringify(['http://127.0.0.1:4401', defaultAddresses.awsUrl]),
  },
};

test('replaces default origins by those of the run, even if the ports are swapped', () => {
  const swapped = { awsUrl: 'http://127.0.0.1:4401', emulatorUrl: 'http://127.0.0.1:4402/api/v1' };
  expect(withOrigins(template, swapped)).toEqual({
    Variables: {
      WAN: 'http://127.0.0.1:4402/api/v1',
      TRUSTED: '["http://127.0.0.1:4402","http://127.0.0.1:4401"]',
    },
  });
});

test('replaces only the AWS endpoint when there is no emulator', () => {
  const { Variables } = withOrigins(template, { awsUrl: 'http://127.0.0.1:50000', emulatorUrl: undefined });
  expect(Variables).toEqual({
    WAN: defaultAddresses.emulatorUrl,
    TRUSTED: '["http://127.0.0.1:4401","http://127.0.0.1:50000"]',
  });
});

test('keeps an address whose port merely starts with a default port', () => {
  const other = { Url: 'http://127.0.0.1:44015/' };
  expect(withOrigins(other, { awsUrl: 'http://127.0.0.1:1', emulatorUrl: 'http://127.0.0.1:2/api/v1' })).toEqual(other);
});
