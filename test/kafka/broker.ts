import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrokerOptions, prepareBroker, type SecureListeners } from './broker-plan.ts';
import { assertPortIsFree } from './free-ports.ts';
import { LocalBroker } from './local-broker.ts';

/** What can be asked of a broker, and how long it lives. */
export interface KafkaOptions extends BrokerOptions {
  /** Folder for data, configuration and log. Default: a temporary one, removed by `stop`. */
  readonly directory?: string;
  /** Lets the broker outlive this process. Default false: it is killed when this process exits. */
  readonly detached?: boolean;
}

/** A running single-node Kafka. */
export interface KafkaBroker {
  /** Address of the clear-text listener, `127.0.0.1:port`. */
  readonly brokers: string;
  readonly port: number;
  readonly directory: string;
  readonly secure: SecureListeners | undefined;
  /** Process id of the current run. */
  pid(): number;
  /** Ends the broker cleanly; removes its folder if that was a temporary one. */
  stop(): Promise<void>;
  /** Ends the broker with SIGKILL and keeps its data for {@link restart}. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, or stops it cleanly first; same ports, same data. */
  restart(): Promise<void>;
}

/**
 * Starts one Kafka broker (KRaft, broker and controller in one process) and resolves when it serves clients.
 * Needs Java 17 or newer; fetches Kafka through Maven the first time. Several can run side by side.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaBroker> {
  if (options.port !== undefined) await assertPortIsFree(options.port);
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'millrace-kafka-')));
  const plan = await prepareBroker(directory, options);
  const broker = new LocalBroker(plan, { detached: options.detached ?? false, isTemporary: options.directory === undefined });
  try {
    await broker.start();
  } catch (error) {
    await broker.stop();
    throw error;
  }
  return broker;
}
