/**
 * Runs topologies in tests: in virtual time and without a broker, or as a whole on a broker in this process.
 *
 * @module
 */
export {
  startBroker,
  type BrokerSettings,
  type CoordinatedKind,
  type DevBroker,
  type Fault,
  type FaultRule,
  type Faults,
  type NodeAddress,
} from '@millrace/broker';
export { TestClock } from './clock/test-clock.ts';
export type { TopologyTestDriverOptions } from './driver/driver-options.ts';
export { TestInputTopic, type PipeOptions, type TestInputTopicOptions } from './driver/test-input-topic.ts';
export { TestOutputTopic } from './driver/test-output-topic.ts';
export type { TestKeyValue, TestRecord } from './driver/test-record.ts';
export { TopologyTestDriver } from './driver/topology-test-driver.ts';
