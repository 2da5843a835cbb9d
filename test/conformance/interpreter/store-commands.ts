/** The store commands of README §6: a record's value says what to do with a store, the result is forwarded. */
import type { KeyValueStore, SessionStore, VersionedKeyValueStore, WindowedKey, WindowStore } from '@millrace/state';
import { keyJson } from '../functions.ts';
import type { Json } from '../vector.ts';

interface Command {
  readonly do: string;
  readonly k: string;
  readonly v: Json;
  readonly t: number;
  readonly from: string & number;
  readonly to: string & number;
  readonly kFrom: string;
  readonly kTo: string;
  readonly start: number;
  readonly end: number;
  readonly earliestEnd: number;
  readonly latestStart: number;
}

type Result = Json | Promise<Json>;
type Entries<K> = AsyncIterable<readonly [K, unknown]> | Iterable<readonly [K, unknown]>;

/** Runs one command on a key-value store. */
export function kvCommand(store: KeyValueStore<string, Json>, json: Json): Result {
  const command = json as unknown as Command;
  const { k, v, from, to } = command;
  switch (command.do) {
    case 'put':
      store.put(k, v ?? undefined);
      return 'ok';
    case 'get':
      return plain(store.get(k));
    case 'delete':
      return plain(store.delete(k));
    case 'putIfAbsent':
      return plain(store.putIfAbsent(k, v));
    case 'range':
      return list(store.range(from ?? undefined, to ?? undefined));
    case 'reverseRange':
      return list(store.reverseRange(from ?? undefined, to ?? undefined));
    case 'all':
      return list(store.all());
    case 'reverseAll':
      return list(store.reverseAll());
    case 'prefix':
      return list(store.prefixScan(Buffer.from(k)));
    default:
      throw new Error(`no key-value command is called ${command.do}`);
  }
}

/** Runs one command on a window store. */
export function windowCommand(store: WindowStore<string, Json>, json: Json): Result {
  const command = json as unknown as Command;
  const { k, v, t, from, to } = command;
  switch (command.do) {
    case 'put':
      store.put(k, v ?? undefined, t);
      return 'ok';
    case 'fetch':
      return plain(store.fetch(k, t));
    case 'fetchRange':
      return list(store.fetchRange(k, from, to));
    case 'backwardFetchRange':
      return list(store.backwardFetchRange(k, from, to));
    case 'fetchKeys':
      return list(store.fetchKeys(command.kFrom ?? undefined, command.kTo ?? undefined, from, to));
    case 'fetchAll':
      return list(store.fetchAll(from, to));
    case 'all':
      return list(store.all());
    default:
      throw new Error(`no window store command is called ${command.do}`);
  }
}

/** Runs one command on a session store. */
export function sessionCommand(store: SessionStore<string, Json>, json: Json): Result {
  const command = json as unknown as Command;
  const { k, v, start, end } = command;
  switch (command.do) {
    case 'put':
      store.put(k, start, end, v ?? undefined);
      return 'ok';
    case 'remove':
      store.remove(k, start, end);
      return 'ok';
    case 'fetchSession':
      return plain(store.fetchSession(k, start, end));
    case 'fetch':
      return list(store.fetch(k));
    case 'backwardFetch':
      return list(store.backwardFetch(k));
    case 'find':
      return list(store.findSessions(k, command.earliestEnd, command.latestStart));
    default:
      throw new Error(`no session store command is called ${command.do}`);
  }
}

/** Runs one command on a versioned store. */
export function versionedCommand(store: VersionedKeyValueStore<string, Json>, json: Json): Result {
  const { do: what, k, v, t } = json as unknown as Command;
  switch (what) {
    case 'put': {
      const end = store.put(k, v ?? undefined, t);
      if (end === undefined) return 'notPut';
      return end === Infinity ? 'latest' : { validTo: end };
    }
    case 'get':
      return plain(store.get(k));
    case 'getAsOf':
      return plain(store.get(k, t));
    case 'delete':
      return plain(store.delete(k, t));
    default:
      throw new Error(`no versioned store command is called ${what}`);
  }
}

async function list(entries: Entries<string | number | WindowedKey<string>>): Promise<Json> {
  const found: Json[] = [];
  for await (const [key, value] of entries) {
    found.push([typeof key === 'number' ? key : (keyJson(key) as Json), plain(value)]);
  }
  return found;
}

/** A value as the vectors write it: absent is null, a timestamped one is `{value, ts}`. */
export function plain(value: unknown): Json {
  if (value == null) return null;
  if (typeof value === 'object' && 'timestamp' in value && 'value' in value) {
    return { value: value.value as Json, ts: value.timestamp as number };
  }
  return value as Json;
}
