import {
  LaneTransport,
  type OpenConnection,
  resolveTransportOptions,
  type Transport,
  type TransportOptions,
} from '@millrace/client/lane';
import { KafkajsConnection } from './kafkajs-connection.ts';
import { loadKafkajs } from './kafkajs-internals.ts';
import { kafkajsLog } from './kafkajs-log.ts';

/** Settings and components of the transport over kafkajs. */
export type KafkajsTransportOptions = TransportOptions;

/**
 * Makes a transport whose connections are those of kafkajs 2.2.4: its sockets, TLS, SASL PLAIN and SCRAM, framing and
 * correlation of answers. The requests are ours; of kafkajs's consumer, producer, admin, metadata and retries nothing is used.
 *
 * @throws SettingsError when an option is out of range
 * @throws FatalStreamsError KAFKAJS_MISMATCH when the kafkajs that is installed has another shape than expected
 * @example
 * const transport = createKafkajsTransport({ brokers: ['localhost:9092'] });
 */
export function createKafkajsTransport(options: KafkajsTransportOptions): Transport {
  const resolved = resolveTransportOptions(options);
  const kafkajs = loadKafkajs();
  const parts = { kafkajs, log: kafkajsLog(kafkajs, resolved.logger), options: resolved };
  const open: OpenConnection = async (endpoint, signal) => {
    const connection = new KafkajsConnection(endpoint, parts);
    await connection.connect(signal);
    return connection;
  };
  return new LaneTransport('kafkajs', open, resolved);
}
