import { resolve } from 'node:path';
import { describeDifference } from 'millrace';
import type { Host } from '../host/host.ts';
import { loadTopology } from '../module/load-topology.ts';
import { UsageError } from '../usage-error.ts';

export interface DescribeOptions {
  /** File with the description of another version, as this command prints it. */
  readonly diff?: string;
}

/**
 * `millrace describe`: prints the topology in the text format of Kafka's `Topology.describe()`; or, with a description of the
 * version before, what would become of its state and topics.
 *
 * @throws UsageError when the file to compare with cannot be used
 */
export async function describeCommand(module: string, { diff }: DescribeOptions, host: Host): Promise<number> {
  const before = diff === undefined ? undefined : readDescription(diff, host);
  const topology = await loadTopology(module, host);
  const text = before === undefined ? String(topology.describe()) : String(describeDifference(before, topology));
  host.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  return 0;
}

function readDescription(file: string, host: Host): string {
  const path = resolve(host.workingDirectory, file);
  if (!host.fileExists(path)) throw new UsageError(`--diff: there is no file ${path}`);
  const text = host.readFile(path);
  if (/^\s*Topologies:/.test(text)) return text;
  throw new UsageError(`--diff: ${path} is no description of a topology; write one with: millrace describe <module> > ${file}`);
}
