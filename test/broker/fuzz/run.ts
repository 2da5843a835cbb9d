import { parseArgs } from 'node:util';
import { startBroker } from '@millrace/broker';
import { fuzzBroker } from './fuzz-broker.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const seconds = Number(values.seconds);

console.log(`damaged requests for ${seconds} s, seed ${seed}`);
await using broker = await startBroker({ connectionsMax: 5000 });
const { frames, grownMiB } = await fuzzBroker({ address: broker.bootstrapServers, seconds, seed });
console.log(`${frames} frames; the broker answers; memory grew by at most ${grownMiB} MiB`);
