import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startKafka } from '../kafka/broker.ts';
import { compareSeed, describeDifference, scriptOf } from './differential/differential.ts';
import type { Operation } from './differential/operation.ts';
import { scriptArbitrary } from './differential/script-arbitrary.ts';
import { timedScriptArbitrary } from './differential/timed-script-arbitrary.ts';
import { runScript } from './differential/run-script.ts';
import { startCandidate } from './differential/start-candidate.ts';
import { encodeTranscript } from './differential/transcript.ts';

const help = `Runs generated scripts of requests against a Kafka and against the development broker, and compares the answers.

  npm run test:broker-differential -- [--seeds 50] [--from 1] [--seconds 100] [--timed] [--kafka host:port] [--record file]

--seeds    how many scripts
--from     the first seed
--seconds  ends earlier when so much time is over, and says where to go on
--timed    other scripts: with sessions that expire and topics that are compacted; a Kafka that runs already needs
           npm run kafka:start -- --set log.cleaner.backoff.ms=50
--record   writes what Kafka answers into this file instead of comparing, for differential/replay.test.ts
--kafka    a Kafka 4.3 that runs already, such as npm run kafka:start gives; default: one of its own
`;

interface CampaignOptions {
  readonly seeds: number;
  readonly from: number;
  readonly seconds: number;
  readonly timed: boolean;
}

/** @returns the seeds that showed a difference */
async function campaign(kafka: string, { seeds, from, seconds, timed }: CampaignOptions): Promise<number[]> {
  await using broker = await startCandidate({ compactsOften: timed });
  const end = performance.now() + seconds * 1000;
  const differing: number[] = [];
  let seed = from;
  for (; seed < from + seeds && performance.now() < end; seed++) {
    const scripts = timed ? timedScriptArbitrary : scriptArbitrary;
    const difference = await compareSeed(kafka, broker.bootstrapServers, seed, scripts);
    if (difference === undefined) continue;
    differing.push(seed);
    console.log(`seed ${seed}:\n${describeDifference(difference)}\n`);
  }
  const ran = seed - from;
  console.log(`${ran} of ${seeds} seeds ran, ${differing.length} differ${ran < seeds ? `; go on with --from ${seed}` : ''}`);
  return differing;
}

/** Leaves out scripts to which Kafka does not answer the same twice: some answers are a matter of time. */
async function record(kafka: string, { seeds, from }: CampaignOptions, file: string): Promise<void> {
  const lines: string[] = [];
  for (let seed = from; seed < from + seeds; seed++) {
    const script = scriptOf(seed);
    const [first, second] = [await answersTo(kafka, script, `r${seed}`), await answersTo(kafka, script, `s${seed}`)];
    if (first.join('\n') !== second.join('\n')) continue;
    lines.push(encodeTranscript({ seed, steps: script.map((operation, step) => [operation, first[step] ?? '']) }));
  }
  await writeFile(file, lines.join(''));
  console.log(`${lines.length} transcripts in ${file}`);
}

function answersTo(kafka: string, script: readonly Operation[], name: string): Promise<string[]> {
  return runScript(kafka, `${name}-${process.pid}`, script);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '50' },
      from: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '100' },
      kafka: { type: 'string' },
      timed: { type: 'boolean', default: false },
      record: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(help);
  const { timed } = values;
  const options = { seeds: Number(values.seeds), from: Number(values.from), seconds: Number(values.seconds), timed };
  const own =
    values.kafka === undefined ? await startKafka(timed ? { settings: { 'log.cleaner.backoff.ms': '50' } } : {}) : undefined;
  const kafka = values.kafka ?? own?.brokers ?? '';
  try {
    if (values.record !== undefined) return await record(kafka, options, values.record);
    const differing = await campaign(kafka, options);
    if (differing.length > 0) process.exitCode = 1;
  } finally {
    await own?.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
