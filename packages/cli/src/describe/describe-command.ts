import type { Host } from '../host/host.ts';
import { loadTopology } from '../module/load-topology.ts';

/** `millrace describe`: prints the topology in the text format of Kafka's `Topology.describe()`. */
export async function describeCommand(module: string, host: Host): Promise<number> {
  const text = String((await loadTopology(module, host)).describe());
  host.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  return 0;
}
