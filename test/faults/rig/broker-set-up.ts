import type { TestProject } from 'vitest/node';
import { BrokerProcess } from '../../integration/embedded/broker-process.ts';

/**
 * Gives the fault tests a broker: the one that KAFKA_BROKERS names, else the development broker in a process of its own, with
 * transactions of version 2, as Kafka 4 has them.
 */
export default async function setUp({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.KAFKA_BROKERS;
  if (given !== undefined && given !== '') {
    provide('faultBrokers', given);
    return undefined;
  }
  const broker = await BrokerProcess.start();
  provide('faultBrokers', broker.brokers);
  return () => broker.stop();
}

declare module 'vitest' {
  export interface ProvidedContext {
    faultBrokers: string;
  }
}
