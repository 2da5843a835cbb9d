import { spawnSync } from 'node:child_process';
import { describe, inject } from 'vitest';
import type { SecureListeners } from '../kafka/broker-plan.ts';

/** The Kafka that integration tests talk to. */
export interface KafkaUnderTest {
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

/** A suite that needs the secured listeners of our own broker: skipped against any other. */
export function describeWithSecureKafka(name: string, suite: (secure: SecureListeners) => void): void {
  const { secure } = kafka;
  describe.skipIf(secure === undefined)(name, () => {
    if (secure !== undefined) suite(secure);
  });
}
