import { string, topic } from '@millrace/core';
import { keyValueStore } from '@millrace/state';
import { type Processor, Topology } from 'millrace';

/** Names of what the bench makes on the broker: all begin with the application's id. */
export function topicsOf(applicationId: string): { readonly ticks: string; readonly rows: string; readonly changelog: string } {
  return { ticks: `${applicationId}-ticks`, rows: `${applicationId}-rows-in`, changelog: `${applicationId}-rows-changelog` };
}

/** Two tasks: one looks at how late each tick is, the other has a store to restore. */
export function buildTopology(applicationId: string, onTick: (sentMs: number) => void): Topology {
  const text = { key: string(), value: string() };
  const { ticks, rows } = topicsOf(applicationId);
  const look = (): Processor<string, string, never, never> => ({ process: ({ timestamp }) => onTick(timestamp) });
  const idle = (): Processor<string, string, never, never> => ({ process: () => undefined });
  return new Topology()
    .addSource('ticks', topic(ticks, text))
    .addProcessor('look', look, ['ticks'])
    .addSource('rows-in', topic(rows, text))
    .addProcessor('keep', idle, ['rows-in'])
    .addStateStore(keyValueStore('rows', string(), string()), ['keep']);
}
