import { startBroker } from '@millrace/broker';
import { expect, it } from 'vitest';
import { fuzzBroker } from './fuzz-broker.ts';

/** `npm run test:broker-fuzz` goes on for a minute. */
it('damaged requests neither end the development broker, nor stop it, nor fill its memory', async () => {
  await using broker = await startBroker({ connectionsMax: 5000 });
  const { frames, grownMiB } = await fuzzBroker({ address: broker.bootstrapServers, seconds: 3, framesMin: 1000, seed: 1 });
  expect(frames).toBeGreaterThan(500);
  expect(grownMiB).toBeLessThan(512);
});
