import { int32, json, string, topic } from '@millrace/core';
import { keyValueStore, type KeyValueStore } from '@millrace/state';
import { Topology, type Processor, type ProcessorContext } from '@millrace/topology';

type OnTask = (change: 'opened' | 'closed', taskId: string) => void;

/** What each record and each tick writes. */
export interface Beat {
  readonly task: string;
  /** Number in its task, without a gap. */
  readonly n: number;
  /** The value of the record; none for a tick. */
  readonly record?: string;
  /** Records of all keys, added up by reading all rows. */
  readonly counted: number;
}

/** Of wall-clock time: many to a commit, so that some fall due while it goes on. */
const TICK_MS = 5;

/** Records and ticks number themselves with the same row, and read all rows of another store, tick after tick. */
export function ticking(prefix: string, onTask: OnTask): Topology {
  return new Topology()
    .addSource('input', topic(`${prefix}input`, { key: string(), value: string() }))
    .addProcessor('beat', () => beating(onTask), ['input'])
    .addStateStore(keyValueStore('beats', string(), int32()), ['beat'])
    .addStateStore(keyValueStore('counts', string(), int32()), ['beat'])
    .addSink('output', topic(`${prefix}output`, { key: string(), value: json<Beat>() }), ['beat']);
}

function beating(onTask: OnTask): Processor<string, string, string, Beat> {
  let context: ProcessorContext<string, Beat>;
  let beats: KeyValueStore<string, number>;
  let counts: KeyValueStore<string, number>;
  const next = (): number => {
    const n = (beats.get('n') ?? 0) + 1;
    beats.put('n', n);
    return n;
  };
  const sum = async (): Promise<number> => {
    let counted = 0;
    for await (const [, count] of counts.all()) counted += count;
    return counted;
  };
  return {
    init(given) {
      context = given;
      beats = given.getStateStore('beats');
      counts = given.getStateStore('counts');
      onTask('opened', given.taskId);
      given.schedule(TICK_MS, 'wall-clock-time', async (timestamp) => {
        context.forward(context.record('tick', { task: context.taskId, n: next(), counted: await sum() }, timestamp));
      });
    },
    async process(record) {
      counts.put(record.key, (counts.get(record.key) ?? 0) + 1);
      context.forward(
        record.withValue({ task: context.taskId, n: next(), record: `${record.key} ${record.value}`, counted: await sum() }),
      );
    },
    close() {
      onTask('closed', context.taskId);
    },
  };
}
