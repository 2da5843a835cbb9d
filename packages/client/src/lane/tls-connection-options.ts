import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { TlsOptions } from '../port/transport.ts';

/** TLS settings as `node:tls` takes them. SNI takes names only; an address is checked against the certificate as it is. */
export function tlsConnectionOptions(host: string, tls: TlsOptions): ConnectionOptions {
  const named = isIP(host) === 0 ? { servername: host } : {};
  if (tls === true) return named;
  const { ca, ...rest } = tls;
  if (ca === undefined) return { ...named, ...rest };
  return { ...named, ...rest, ca: typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca] };
}
