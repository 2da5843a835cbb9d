import type { TestProject } from 'vitest/node';
import { BrokerProcess } from './embedded/broker-process.ts';

/** Gives the integration tests the development broker in place of Kafka: in a process and a directory of its own. */
export default async function setUp({ provide }: TestProject): Promise<() => Promise<void>> {
  const broker = await BrokerProcess.start();
  provide('kafka', { kind: 'embedded', brokers: broker.brokers, secure: undefined });
  return () => broker.stop();
}
