import { parseArgs } from 'node:util';
import { startKafka } from '../kafka/broker.ts';
import { compareSeed, describeDifference } from './differential/differential.ts';
import { startCandidate } from './differential/start-candidate.ts';

const help = `Runs generated scripts of requests against a Kafka and against the development broker, and compares the answers.

  npm run test:broker-differential -- [--seeds 50] [--from 1] [--seconds 100] [--kafka host:port]

--seeds    how many scripts
--from     the first seed
--seconds  ends earlier when so much time is over, and says where to go on
--kafka    a Kafka 4.3 that runs already, such as npm run kafka:start gives; default: one of its own
`;

interface CampaignOptions {
  readonly seeds: number;
  readonly from: number;
  readonly seconds: number;
}

/** @returns the seeds that showed a difference */
async function campaign(kafka: string, { seeds, from, seconds }: CampaignOptions): Promise<number[]> {
  await using broker = await startCandidate();
  const end = performance.now() + seconds * 1000;
  const differing: number[] = [];
  let seed = from;
  for (; seed < from + seeds && performance.now() < end; seed++) {
    const difference = await compareSeed(kafka, broker.bootstrapServers, seed);
    if (difference === undefined) continue;
    differing.push(seed);
    console.log(`seed ${seed}:\n${describeDifference(difference)}\n`);
  }
  const ran = seed - from;
  console.log(`${ran} of ${seeds} seeds ran, ${differing.length} differ${ran < seeds ? `; go on with --from ${seed}` : ''}`);
  return differing;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '50' },
      from: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '100' },
      kafka: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(help);
  const options = { seeds: Number(values.seeds), from: Number(values.from), seconds: Number(values.seconds) };
  const own = values.kafka === undefined ? await startKafka() : undefined;
  try {
    const differing = await campaign(values.kafka ?? own?.brokers ?? '', options);
    if (differing.length > 0) process.exitCode = 1;
  } finally {
    await own?.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
