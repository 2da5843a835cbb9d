import { readFileSync } from 'node:fs';
import type { DevBroker } from '@millrace/broker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeDifference, firstDifference } from './differential.ts';
import { runScript } from './run-script.ts';
import { startCandidate } from './start-candidate.ts';
import { decodeTranscripts } from './transcript.ts';

const transcripts = decodeTranscripts(readFileSync(new URL('kafka-4.3.1.jsonl', import.meta.url), 'utf8'));

describe('the development broker', () => {
  let broker: DevBroker;
  beforeAll(async () => {
    broker = await startCandidate();
  });
  afterAll(() => broker.stop());

  it.each(transcripts)('answers as Kafka 4.3.1 did to the script of seed $seed', async ({ seed, steps }) => {
    const script = steps.map(([operation]) => operation);
    const expected = steps.map(([, answer]) => answer);
    const answers = await runScript(broker.bootstrapServers, `replay-${seed}`, script);
    const difference = firstDifference(script, expected, answers);
    expect(difference && describeDifference(difference)).toBeUndefined();
  });
});
