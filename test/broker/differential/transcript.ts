import type { Operation } from './operation.ts';

/** A script with what Kafka answered, step by step. */
export interface Transcript {
  readonly seed: number;
  readonly steps: readonly (readonly [operation: Operation, answer: string])[];
}

/** A line of a file of transcripts. */
export function encodeTranscript(transcript: Transcript): string {
  return `${JSON.stringify(transcript)}\n`;
}

export function decodeTranscripts(text: string): Transcript[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Transcript);
}
