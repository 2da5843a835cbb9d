import type { DevBroker } from '@millrace/broker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compareSeed, describeDifference } from '../../broker/differential/differential.ts';
import { startCandidate } from '../../broker/differential/start-candidate.ts';
import { describeWithKafka } from '../kafka-under-test.ts';

/** `npm run test:broker-differential -- --seeds 1000` runs more of them. */
const SEEDS = 50;
const SEEDS_PER_TEST = 10;

describeWithKafka('the development broker', (kafka) => {
  let broker: DevBroker;
  beforeAll(async () => {
    broker = await startCandidate();
  });
  afterAll(() => broker.stop());

  for (let from = 1; from <= SEEDS; from += SEEDS_PER_TEST) {
    it(`answers as Kafka does to the scripts of seeds ${from} to ${from + SEEDS_PER_TEST - 1}`, {
      timeout: 360_000,
    }, async () => {
      for (let seed = from; seed < from + SEEDS_PER_TEST; seed++) {
        const difference = await compareSeed(kafka, broker.bootstrapServers, seed);
        expect(difference && `seed ${seed}:\n${describeDifference(difference)}`).toBeUndefined();
      }
    });
  }
});
