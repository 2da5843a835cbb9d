/** The processors of README §6. */
import type { Record } from '@millrace/core';
import type { KeyValueStore, SessionStore, TimestampedKeyValueStore, WindowStore } from '@millrace/state';
import type {
  Cancellable,
  FixedKeyProcessorSupplier,
  FixedKeyRecord,
  ProcessingContext,
  ProcessorContext,
  ProcessorSupplier,
} from '@millrace/topology';
import { mapper, number, selector, type Value } from '../functions.ts';
import type { FunctionRef, Json } from '../vector.ts';
import { kvCommand, plain, sessionCommand, versionedCommand, windowCommand } from './store-commands.ts';

type Key = unknown;
type Context = ProcessorContext<Key, Value>;
type Input = Record<Key, Value>;
type Step = (record: Input) => void | Promise<void>;

/** What a processor does with each record; made per task, when the context is there. */
type ProcessorBody = (context: Context, argument: Json) => Step;

/** A supplier of the processor that the reference names. */
export function processorSupplier(ref: FunctionRef): ProcessorSupplier<Key, Value, Key, Value> {
  const name = typeof ref === 'string' ? ref : ref[0];
  const argument = typeof ref === 'string' ? null : ref[1];
  const body = bodies[name];
  if (body === undefined) throw new Error(`no processor is called ${name}`);
  return () => {
    let step: Step;
    return {
      init(context) {
        step = body(context, argument);
      },
      process: (record) => step(record),
    };
  };
}

const bodies: Readonly<{ [name: string]: ProcessorBody | undefined }> = {
  forward: (context) => (record) => context.forward(record),
  drop: () => () => undefined,
  setKey: (context, argument) => {
    const select = selector(argument as FunctionRef);
    return (record) => context.forward(record.withKey(select(record.value, record.key)));
  },
  setValue: (context, argument) => {
    const map = mapper(argument as FunctionRef);
    return (record) => context.forward(record.withValue(map(record.value, record.key)));
  },
  shiftTime: (context, argument) => (record) => context.forward(record.withTimestamp(record.timestamp + number(argument))),
  addHeader: (context, argument) => (record) => context.forward(withHeader(record, argument)),
  twice: (context) => (record) => {
    context.forward(record);
    context.forward(record.withTimestamp(record.timestamp + 1));
  },
  meta: (context) => (record) => context.forward(record.withValue(metadata(context, record.timestamp))),
  streamTime: (context) => (record) => context.forward(record.withValue(context.currentStreamTimeMs())),
  wallTime: (context) => (record) => context.forward(record.withValue(context.currentSystemTimeMs())),
  routeByParity: (context, argument) => (record) => {
    const [even, odd] = argument as [string, string];
    context.forward(record, number(record.value) % 2 === 0 ? even : odd);
  },
  countPerKey: (context, argument) => {
    const store = lazily<KeyValueStore<Key, Json>>(context, argument);
    return (record) => context.forward(record.withValue(countOne(store(), record.key)));
  },
  dedupe: (context, argument) => {
    const store = lazily<KeyValueStore<Key, Json>>(context, argument);
    return (record) => {
      if (JSON.stringify(store().get(record.key) ?? null) === JSON.stringify(record.value ?? null)) return;
      store().put(record.key, record.value ?? undefined);
      context.forward(record);
    };
  },
  putGlobal: (context, argument) => {
    const store = lazily<KeyValueStore<Key, Json>>(context, argument);
    return ({ key, value }) => store().put(key, value ?? undefined);
  },
  lookup: (context, argument) => {
    const store = lazily<KeyValueStore<Key, Json>>(context, argument);
    return (record) => context.forward(record.withValue(plain(store().get(record.key))));
  },
  punctuate,
  flushOnPunctuate,
  kvCommands: storeCommands(kvCommand),
  windowCommands: storeCommands(windowCommand),
  sessionCommands: storeCommands(sessionCommand),
  versionedCommands: storeCommands(versionedCommand),
} satisfies { readonly [name: string]: ProcessorBody };

interface PunctuateArgument {
  readonly type: 'streamTime' | 'wallClock';
  readonly intervalMs: number;
  readonly label?: string;
  readonly forward?: boolean;
  readonly cancelAfter?: number;
}

function punctuate(context: Context, argument: Json): Step {
  const { type, intervalMs, label, forward, cancelAfter } = argument as unknown as PunctuateArgument;
  let firings = 0;
  const schedule: Cancellable = context.schedule(intervalMs, punctuationType(type), (timestamp) => {
    context.forward(context.record(label ?? 'punctuate', timestamp, timestamp));
    if (++firings === cancelAfter) schedule.cancel();
  });
  return (record) => {
    if (forward === true) context.forward(record);
  };
}

function flushOnPunctuate(context: Context, argument: Json): Step {
  const { store: name, type, intervalMs } = argument as unknown as PunctuateArgument & { readonly store: string };
  const store = context.getStateStore<KeyValueStore<Key, Json>>(name);
  context.schedule(intervalMs, punctuationType(type), async (timestamp) => {
    for await (const [key, value] of store.all()) {
      context.forward(context.record<Key, Value>(key, value, timestamp));
      store.delete(key);
    }
  });
  return (record) => store.put(record.key, record.value ?? undefined);
}

function punctuationType(type: PunctuateArgument['type']): 'stream-time' | 'wall-clock-time' {
  return type === 'streamTime' ? 'stream-time' : 'wall-clock-time';
}

function storeCommands(run: (store: never, command: Json) => Json | Promise<Json>): ProcessorBody {
  return (context, argument) => {
    const store = lazily<KeyValueStore<string, Json> & WindowStore<string, Json> & SessionStore<string, Json>>(context, argument);
    return (record) => {
      const result = run(store() as never, record.value as Json);
      if (!(result instanceof Promise)) return context.forward(record.withValue(result));
      return result.then((found) => context.forward(record.withValue(found)));
    };
  };
}

/** The store of that name, fetched with the first record, which is when Kafka's processors of the vectors fetch it. */
function lazily<S>(context: ProcessingContext, name: Json): () => S {
  let store: S | undefined;
  return () => {
    store ??= context.getStateStore(name as string) as S;
    return store;
  };
}

function countOne(store: KeyValueStore<Key, Json>, key: Key): number {
  if (store.kind === 'timestampedKeyValue') {
    const timestamped = store as unknown as TimestampedKeyValueStore<Key, number>;
    const stored = timestamped.get(key);
    const count = number(stored?.value) + 1;
    timestamped.put(key, { value: count, timestamp: stored?.timestamp ?? 0 });
    return count;
  }
  const count = number(store.get(key)) + 1;
  store.put(key, count);
  return count;
}

function withHeader(record: Input, argument: Json): Input {
  const [key, value] = argument as [string, string];
  return record.withHeaders([...record.headers, { key, value: Buffer.from(value) }]);
}

function metadata(context: ProcessingContext, ts: number): Json {
  const metadata = context.recordMetadata();
  return { topic: metadata?.topic ?? null, partition: metadata?.partition ?? null, offset: metadata?.offset ?? null, ts };
}

type FixedInput = FixedKeyRecord<Key, Value>;

interface FixedContext extends ProcessingContext {
  forward(record: FixedInput): void;
}

type FixedBody = (context: FixedContext, argument: Json) => (record: FixedInput) => void;

/** A supplier of the processor that the reference names, in its form that keeps the key. */
export function fixedKeyProcessorSupplier(ref: FunctionRef): FixedKeyProcessorSupplier<Key, Value, Value> {
  const name = typeof ref === 'string' ? ref : ref[0];
  const argument = typeof ref === 'string' ? null : ref[1];
  const body = fixedBodies[name];
  if (body === undefined) throw new Error(`no processor that keeps the key is called ${name}`);
  return () => {
    let step: (record: FixedInput) => void;
    return {
      init(context) {
        step = body(context, argument);
      },
      process: (record) => step(record),
    };
  };
}

const fixedBodies: Readonly<{ [name: string]: FixedBody | undefined }> = {
  forward: (context) => (record) => context.forward(record),
  drop: () => () => undefined,
  setValue: (context, argument) => {
    const map = mapper(argument as FunctionRef);
    return (record) => context.forward(record.withValue(map(record.value, record.key)));
  },
  shiftTime: (context, argument) => (record) => context.forward(record.withTimestamp(record.timestamp + number(argument))),
  addHeader: (context, argument) => (record) => {
    const [key, value] = argument as [string, string];
    context.forward(record.withHeaders([...record.headers, { key, value: Buffer.from(value) }]));
  },
  twice: (context) => (record) => {
    context.forward(record);
    context.forward(record.withTimestamp(record.timestamp + 1));
  },
  meta: (context) => (record) => context.forward(record.withValue(metadata(context, record.timestamp))),
  streamTime: (context) => (record) => context.forward(record.withValue(context.currentStreamTimeMs())),
  countPerKey: (context, argument) => {
    const store = lazily<KeyValueStore<Key, Json>>(context, argument);
    return (record) => context.forward(record.withValue(countOne(store(), record.key)));
  },
} satisfies { readonly [name: string]: FixedBody };
