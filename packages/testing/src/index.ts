/**
 * Runs topologies in tests: no broker, virtual time.
 *
 * @module
 */
export { TestClock } from './clock/test-clock.ts';
export type { TopologyTestDriverOptions } from './driver/driver-options.ts';
export { TestInputTopic, type PipeOptions, type TestInputTopicOptions } from './driver/test-input-topic.ts';
export { TestOutputTopic } from './driver/test-output-topic.ts';
export type { TestKeyValue, TestRecord } from './driver/test-record.ts';
export { TopologyTestDriver } from './driver/topology-test-driver.ts';
