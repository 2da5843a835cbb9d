import { spawnSync } from 'node:child_process';
import { describe, inject } from 'vitest';
import type { SecureListeners } from '../kafka/broker-plan.ts';
import { startKafka } from '../kafka/broker.ts';
import { BrokerProcess } from './embedded/broker-process.ts';

/** The Kafka that integration tests talk to. */
export interface KafkaUnderTest {
  /** A real Kafka, or the development broker in its place. */
  readonly kind: 'kafka' | 'embedded';
  /** Bootstrap addresses, comma-separated; `undefined` when there is no Kafka. */
  readonly brokers: string | undefined;
  /** TLS and SASL listeners; only our own broker has them. */
  readonly secure: SecureListeners | undefined;
}

const kafka: KafkaUnderTest = inject('kafka');

/** A suite that needs a Kafka: skipped when there is none. The set-up has said why. */
export function describeWithKafka(name: string, suite: (brokers: string) => void): void {
  const { brokers } = kafka;
  describe.skipIf(brokers === undefined)(name, () => suite(brokers ?? ''));
}

/** A suite that needs a Kafka and runs Java programs beside Millrace: skipped, and its name says so, when Java is missing. */
export function describeWithJavaAndKafka(name: string, suite: (brokers: string) => void): void {
  const { brokers } = kafka;
  const hasJava = spawnSync(process.env.JAVA || 'java', ['-version']).status === 0;
  const reason = hasJava ? '' : ' (skipped: there is no Java)';
  describe.skipIf(brokers === undefined || !hasJava)(`${name}${reason}`, () => suite(brokers ?? ''));
}

/**
 * A suite that needs the secured listeners of our own Kafka: skipped against any other. The development broker asks nobody who
 * he is, and there the suite does not exist.
 */
export function describeWithSecureKafka(name: string, suite: (secure: SecureListeners) => void): void {
  const { kind, secure } = kafka;
  if (kind === 'embedded') return;
  describe.skipIf(secure === undefined)(name, () => {
    if (secure !== undefined) suite(secure);
  });
}

/** A broker that a test may end. */
export interface OwnBroker {
  readonly brokers: string;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again with its port and its data, after a clean stop if it still runs. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** A suite that starts brokers of its own, of the kind under test: skipped against a Kafka that is not ours. */
export function describeWithOwnBroker(name: string, suite: (start: () => Promise<OwnBroker>) => void): void {
  const { kind, secure } = kafka;
  // Ours can run at all where the secured one does.
  describe.skipIf(kind === 'kafka' && secure === undefined)(name, () =>
    suite(() => (kind === 'kafka' ? startKafka() : BrokerProcess.start())),
  );
}
