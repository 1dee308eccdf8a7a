import { causeOf, fieldOf } from '../../media/download.ts';

/** TLS failures of the handshake, which comes before any byte of the request. */
const handshakeFailures = new Set([
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_TLS_HANDSHAKE_TIMEOUT',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_UNSUPPORTED_PROTOCOL',
  'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
]);

/** Errors that only looking up a name or opening a connection can end in. */
const connectFailures = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

/**
 * True only if an error of `fetch` proves that no byte of the request left:
 * the name was not found, the connection not made, the TLS handshake not done.
 * Anything else, a reset above all, may have come after the request was read.
 */
export function provesNothingSent(error: unknown): boolean {
  const cause = causeOf(error);
  // With several addresses to try, Node gives one error for each: all must prove it.
  if (cause instanceof AggregateError && cause.errors.length > 0) return cause.errors.every(provesNothingSent);
  const code = fieldOf(cause, 'code');
  if (typeof code !== 'string') return false;
  if (connectFailures.has(code) || handshakeFailures.has(code)) return true;
  // ETIMEDOUT or ENETUNREACH also end established connections; the system call tells which.
  if (fieldOf(cause, 'syscall') === 'connect') return true;
  // Node gives a socket closed amid the handshake no code of its own.
  const message = fieldOf(cause, 'message');
  return (
    code === 'ECONNRESET' &&
    typeof message === 'string' &&
    message.includes('before secure TLS connection was established')
  );
}
