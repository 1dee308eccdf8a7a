import { BlockList, isIP } from 'node:net';

/** IPv4 networks that aren't the public internet (IANA special-purpose registry). */
const specialNetworks: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Within IPv6's public range: protocol assignments with Teredo, documentation, and 6to4, which hides an IPv4 address. */
const specialNetworks6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [network, bits] of specialNetworks) special.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of specialNetworks6) special.addSubnet(network, bits, 'ipv6');

const publicRange6 = new BlockList();
publicRange6.addSubnet('2000::', 3, 'ipv6');

/**
 * True if an IP address is one of the public internet: not loopback, private,
 * link-local (where clouds keep their metadata), shared, reserved, multicast,
 * nor an IPv4 address inside an IPv6 one.
 *
 * @param address - IPv4 in dotted form or IPv6 without brackets; anything else isn't public
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.check(address, 'ipv4');
  if (family === 6) return publicRange6.check(address, 'ipv6') && !special.check(address, 'ipv6');
  return false;
}

const privateSuffixes = ['localhost', 'local', 'localdomain', 'internal', 'intranet', 'lan', 'home.arpa', 'onion'];

/**
 * True if the host of a parsed URL may be one of the public internet: a public
 * address, or a name with a dot that isn't reserved for private networks.
 * What a name resolves to isn't looked up here.
 *
 * @param hostname - as `URL` gives it, so that every notation of an address has become the plain one
 */
export function isPublicHostname(hostname: string): boolean {
  if (hostname.startsWith('[')) return isPublicAddress(hostname.slice(1, -1));
  if (isIP(hostname) === 4) return isPublicAddress(hostname);
  const name = hostname.replace(/\.$/, '');
  if (!name.includes('.')) return false;
  return !privateSuffixes.some((suffix) => name === suffix || name.endsWith(`.${suffix}`));
}
