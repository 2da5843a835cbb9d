import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type BrokerEndpoint, type TlsOptions, tlsConnectionOptions } from '@millrace/client/lane';

/** As kafkajs's own, but small requests are not held back to be sent together (Nagle's algorithm off). */
export function openSocket({ host, port }: BrokerEndpoint, tls: TlsOptions | undefined, onConnect: () => void): Socket {
  const target = { host, port, noDelay: true, keepAlive: true };
  if (tls === undefined) return connect(target, onConnect);
  return connectTls({ ...target, ...tlsConnectionOptions(host, tls) }, onConnect);
}
