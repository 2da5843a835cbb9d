import { existsSync, writeFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { int32, string, topic } from '@millrace/core';
import { keyValueStore, type KeyValueStore } from '@millrace/state';
import { type Processor, type ProcessorContext, Topology } from '@millrace/topology';

const prefix = process.env.TEST_PREFIX ?? '';
const text = { key: string(), value: string() };

/**
 * What the threads under test run: counts as `counting` does. A value like `!block:0:/path` holds up the loop until there is a file
 * `/path-over`, `!exit:3:/path` ends the thread, `!throw:0:/path` throws: each only if the file is not there yet, which it then is.
 */
export function buildTopology(): Topology {
  return new Topology()
    .addSource('input', topic(`${prefix}input`, text))
    .addProcessor('count', counter, ['input'])
    .addStateStore(keyValueStore('counts', string(), int32()), ['count'])
    .addSink('output', topic(`${prefix}output`, text), ['count']);
}

function counter(): Processor<string, string, string, string> {
  let context: ProcessorContext<string, string>;
  let counts: KeyValueStore<string, number>;
  return {
    init(given) {
      context = given;
      counts = given.getStateStore('counts');
      report('opened', given.taskId);
    },
    process(record) {
      misbehave(record.value);
      const count = (counts.get(record.key) ?? 0) + 1;
      counts.put(record.key, count);
      context.forward(record.withValue(`${count}:${record.value}`));
    },
    close() {
      report('closed', context.taskId);
    },
  };
}

function report(change: 'opened' | 'closed', taskId: string): void {
  process.stdout.write(`${JSON.stringify({ event: 'task', change, taskId, thread: threadId })}\n`);
}

function misbehave(value: string): void {
  const [, what, amount, once = ''] = /^!(\w+):(\d+):(.+)$/.exec(value) ?? [];
  if (what === undefined || existsSync(once)) return;
  writeFileSync(once, '');
  if (what === 'throw') throw new Error(`cannot count ${value}`);
  if (what === 'exit') process.exit(Number(amount));
  while (!existsSync(`${once}-over`)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
}
