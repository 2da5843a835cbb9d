import { type DevBroker, startBroker } from '@millrace/broker';

/** Our broker, set up as the Kafka of test/kafka is. */
export function startCandidate({ compactsOften = false } = {}): Promise<DevBroker> {
  return startBroker({
    autoCreateTopics: false,
    transactionVersion: 2,
    groupMinSessionTimeoutMs: 1000,
    markerDelayMaxMs: 5,
    // The timestamps of scripts are long past.
    topicDefaults: { 'retention.ms': '-1' },
    ...(compactsOften ? { compactionIntervalMs: 50 } : {}),
  });
}
