import { readFile } from 'node:fs/promises';
import {
  describeTransportConnections,
  describeTransportSecurity,
  describeTransportTraffic,
  type SecureEnvironment,
  type TransportUnderTest,
} from '@millrace/client/contract';
import { startKafka } from '../../kafka/broker.ts';
import { describeWithKafka, describeWithSecureKafka } from '../kafka-under-test.ts';

/** So long that what is left of a session when it is renewed, 5 % at least, is more than a request usually takes. */
const sessionLifetimeMs = 6_000;

/** Runs the whole contract of transports against the Kafka under test; what needs TLS and SASL against a broker of its own. */
export function describeTransportWithKafka(name: string, underTest: TransportUnderTest): void {
  describeWithKafka(name, (brokers) => {
    const address = brokers.split(',')[0] ?? '';
    describeTransportConnections(name, underTest, () => Promise.resolve({ address }));
    describeTransportTraffic(name, underTest, () => Promise.resolve({ address }));
  });
  // Own brokers only where ours can run at all, which the secured one shows.
  describeWithSecureKafka(name, () => describeTransportSecurity(name, underTest, startSecureKafka));
}

/** A broker that wants the credentials again every six seconds. */
async function startSecureKafka(): Promise<SecureEnvironment> {
  const broker = await startKafka({ secure: true, settings: { 'connections.max.reauth.ms': String(sessionLifetimeMs) } });
  if (broker.secure === undefined) throw new Error('the secured broker has no secured listeners');
  const { caFile, user, ...listeners } = broker.secure;
  const ca = await readFile(caFile, 'utf8');
  return { ...listeners, ...user, ca, sessionLifetimeMs, close: () => broker.stop() };
}
