import { spawnSync } from 'node:child_process';
import type { TestProject } from 'vitest/node';
import { startKafka } from '../kafka/broker.ts';
import type { KafkaUnderTest } from './kafka-under-test.ts';

/**
 * Gives the integration tests a Kafka: the one that KAFKA_BROKERS names, else one of our own, else none, and then every
 * test is skipped. In CI (`CI=true`) having none is an error.
 */
export default async function setUp({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.KAFKA_BROKERS;
  if (given !== undefined && given !== '') {
    provide('kafka', { kind: 'kafka', brokers: given, secure: undefined });
    return undefined;
  }
  if (spawnSync('java', ['-version']).status !== 0) {
    const reason = 'KAFKA_BROKERS is not set and there is no Java to start a Kafka of our own';
    if (process.env.CI === 'true') throw new Error(`integration tests cannot run: ${reason}`);
    console.warn(`integration tests are skipped: ${reason}`);
    provide('kafka', { kind: 'kafka', brokers: undefined, secure: undefined });
    return undefined;
  }
  const broker = await startKafka({ secure: true });
  provide('kafka', { kind: 'kafka', brokers: broker.brokers, secure: broker.secure });
  return () => broker.stop();
}

declare module 'vitest' {
  export interface ProvidedContext {
    kafka: KafkaUnderTest;
  }
}
