import { startBroker } from '@millrace/broker';
import type { DemoOptions } from './options.ts';

/** The Kafka of a run. */
export interface OpenKafka extends AsyncDisposable {
  readonly brokers: readonly string[];
  /** For the reader. */
  readonly description: string;
}

/** Long enough that both workers are there when tasks are given out for the first time; Kafka's own default is 3 s. */
const INITIAL_REBALANCE_DELAY_MS = 1000;

/**
 * The Kafka that the options name, or a development broker in this process, which forgets everything at the end.
 *
 * @throws FatalStreamsError ADDRESS_UNAVAILABLE when the port is taken or may not be used
 */
export async function openKafka({ brokers, port }: Pick<DemoOptions, 'brokers' | 'port'>): Promise<OpenKafka> {
  if (brokers.length > 0) {
    return { brokers, description: `Kafka at ${brokers.join(', ')}`, [Symbol.asyncDispose]: async () => undefined };
  }
  const broker = await startBroker({ port, groupInitialRebalanceDelayMs: INITIAL_REBALANCE_DELAY_MS });
  return {
    brokers: [broker.bootstrapServers],
    description: `development broker on ${broker.bootstrapServers}, in memory`,
    [Symbol.asyncDispose]: () => broker.stop(),
  };
}
