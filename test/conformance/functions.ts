/**
 * The functions that vectors name (README §6), in the argument order of Millrace's callbacks. An absent key or value is
 * `undefined` on the way in; `null` and `undefined` both mean absent on the way out.
 */
import type { FunctionRef, Json, WindowedKeyJson } from './vector.ts';

export type Value = Json | undefined;

interface WindowedKeyLike {
  readonly key: unknown;
  readonly window: { readonly start: number; readonly end: number };
}

function lookUp<F>(kind: string, table: Readonly<Record<string, (argument: Json) => F>>, ref: FunctionRef): F {
  const name = typeof ref === 'string' ? ref : ref[0];
  const make = Object.hasOwn(table, name) ? table[name] : undefined;
  if (make === undefined) throw new Error(`no ${kind} is called ${name}`);
  return make(typeof ref === 'string' ? null : ref[1]);
}

export function text(value: unknown): string {
  if (value == null) return 'null';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function isWindowedKey(key: unknown): key is WindowedKeyLike {
  return typeof key === 'object' && key !== null && 'window' in key;
}

/** A key as the vectors write it. */
export function keyJson(key: unknown): string | null | WindowedKeyJson {
  if (!isWindowedKey(key)) return key == null ? null : text(key);
  const { start, end } = key.window;
  return { key: text(key.key), start, end: Number.isSafeInteger(end) ? end : null };
}

function keyText(key: unknown): string {
  const json = keyJson(key);
  if (json === null) return 'null';
  return typeof json === 'string' ? json : `${json.key}@${json.start}/${json.end ?? 'inf'}`;
}

function isEven(value: unknown): value is number {
  return typeof value === 'number' && value % 2 === 0;
}

function isOdd(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value % 2) === 1;
}

function field(value: Value, name: Json): Value {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return (value as Readonly<Record<string, Json>>)[text(name)];
}

function same(a: Value, b: Value): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}

function zeroAsNull(result: number): number | null {
  return result === 0 ? null : result;
}

type Predicate = (value: Value, key: unknown) => boolean;

const predicates: Record<string, (argument: Json) => Predicate> = {
  always: () => () => true,
  never: () => () => false,
  valueNotNull: () => (value) => value != null,
  valueNull: () => (value) => value == null,
  keyNotNull: () => (_value, key) => key != null,
  even: () => isEven,
  odd: () => isOdd,
  gt: (limit) => (value) => typeof value === 'number' && value > number(limit),
  lt: (limit) => (value) => typeof value === 'number' && value < number(limit),
  keyIs: (wanted) => (_value, key) => key != null && keyText(key) === wanted,
  valueIs: (wanted) => (value) => (value ?? null) === wanted,
};

type Mapper = (value: Value, key: unknown) => Value;

const mappers: Record<string, (argument: Json) => Mapper> = {
  identity: () => (value) => value,
  null: () => () => null,
  const: (constant) => () => constant,
  add: (amount) => (value) => number(value) + number(amount),
  times: (factor) => (value) => number(value) * number(factor),
  mod: (divisor) => (value) => number(value) % number(divisor),
  str: () => text,
  upper: () => (value) => text(value).replaceAll(/[a-z]/g, (letter) => letter.toUpperCase()),
  length: () => (value) => text(value).length,
  withKey: () => (value, key) => `${keyText(key)}:${text(value)}`,
  key: () => (_value, key) => (key == null ? null : keyText(key)),
  field: (name) => (value) => field(value, name),
  wrap: (name) => (value) => ({ [text(name)]: value ?? null }),
  evenOrNull: () => (value) => (isEven(value) ? value : null),
  append: (suffix) => (value) => text(value) + text(suffix),
};

type FlatMapper = (value: Value, key: unknown) => readonly Value[];

const flatMappers: Record<string, (argument: Json) => FlatMapper> = {
  none: () => () => [],
  twice: () => (value) => [value, value],
  words: () => (value) => (typeof value === 'string' ? value.split(' ').filter((word) => word !== '') : []),
  range: () => (value) => Array.from({ length: Math.max(0, number(value)) }, (_, index) => index),
  elements: () => (value) => (Array.isArray(value) ? (value as readonly Json[]) : []),
  nullList: () => () => null as unknown as readonly Value[],
};

type Selector = (value: Value, key: unknown) => unknown;

const selectors: Record<string, (argument: Json) => Selector> = {
  key: () => (_value, key) => (key == null ? null : keyText(key)),
  null: () => () => null,
  const: (constant) => () => constant,
  value: () => (value) => (value == null ? null : text(value)),
  field: (name) => (value) => {
    const found = field(value, name);
    return found == null ? null : text(found);
  },
  inner: () => (_value, key) => (isWindowedKey(key) ? key.key : key),
  first: () => (_value, key) => (key == null ? null : keyText(key).charAt(0) || null),
  prefix: (prefix) => (_value, key) => text(prefix) + keyText(key),
  parity: () => (value) => (typeof value !== 'number' ? null : isEven(value) ? 'even' : 'odd'),
  oddKeyOrNull: () => (value, key) => (isOdd(value) && key != null ? keyText(key) : null),
};

type Reducer = (a: Value, b: Value) => Value;

const reducers: Record<string, (argument: Json) => Reducer> = {
  sum: () => (a, b) => number(a) + number(b),
  minus: () => (a, b) => number(a) - number(b),
  max: () => (a, b) => (number(b) > number(a) ? b : a),
  min: () => (a, b) => (number(b) < number(a) ? b : a),
  concat: () => (a, b) => `${text(a)},${text(b)}`,
  first: () => (a) => a,
  last: () => (_a, b) => b,
  sumOrNull: () => (a, b) => zeroAsNull(number(a) + number(b)),
  minusOrNull: () => (a, b) => zeroAsNull(number(a) - number(b)),
};

type Aggregator = (aggregate: Value, value: Value, key: unknown) => Value;

const aggregators: Record<string, (argument: Json) => Aggregator> = {
  sum: () => (aggregate, value) => number(aggregate) + number(value),
  minus: () => (aggregate, value) => number(aggregate) - number(value),
  count: () => (aggregate) => number(aggregate) + 1,
  uncount: () => (aggregate) => number(aggregate) - 1,
  plusText: () => (aggregate, value) => `${text(aggregate)}+${text(value)}`,
  minusText: () => (aggregate, value) => `${text(aggregate)}-${text(value)}`,
  list: () => (aggregate, value) => [...(Array.isArray(aggregate) ? (aggregate as readonly Json[]) : []), value ?? null],
  unlist: () => (aggregate, value) => {
    if (!Array.isArray(aggregate)) return aggregate;
    const at = (aggregate as readonly Json[]).findIndex((element) => same(element, value));
    return (aggregate as readonly Json[]).filter((_, index) => index !== at);
  },
  keyed: () => (aggregate, value, key) => `${text(aggregate)};${keyText(key)}=${text(value)}`,
  sumOrNull: () => (aggregate, value) => zeroAsNull(number(aggregate) + number(value)),
  minusOrNull: () => (aggregate, value) => zeroAsNull(number(aggregate) - number(value)),
  max: () => (aggregate, value) => (typeof aggregate !== 'number' || number(value) > aggregate ? value : aggregate),
};

type Merger = (a: Value, b: Value, key: unknown) => Value;

const mergers: Record<string, (argument: Json) => Merger> = {
  sum: () => (a, b) => number(a) + number(b),
  plusText: () => (a, b) => `(${text(a)}|${text(b)})`,
  list: () => (a, b) => [...((a ?? []) as readonly Json[]), ...((b ?? []) as readonly Json[])],
};

type Joiner = (left: Value, right: Value, key: unknown) => Value;

const joiners: Record<string, (argument: Json) => Joiner> = {
  concat: () => (left, right) => `${text(left)}+${text(right)}`,
  pair: () => (left, right) => [left ?? null, right ?? null],
  sum: () => (left, right) => number(left) + number(right),
  left: () => (left) => left,
  right: () => (_left, right) => right,
  keyed: () => (left, right, key) => `${keyText(key)}:${text(left)}+${text(right)}`,
  nullIfEqual: () => (left, right) => (left != null && same(left, right) ? null : `${text(left)}+${text(right)}`),
};

export const predicate = (ref: FunctionRef): Predicate => lookUp('predicate', predicates, ref);
export const mapper = (ref: FunctionRef): Mapper => lookUp('mapper', mappers, ref);
export const flatMapper = (ref: FunctionRef): FlatMapper => lookUp('flat mapper', flatMappers, ref);
export const selector = (ref: FunctionRef): Selector => lookUp('key selector', selectors, ref);
export const reducer = (ref: FunctionRef): Reducer => lookUp('reducer', reducers, ref);
export const aggregator = (ref: FunctionRef): Aggregator => lookUp('aggregator', aggregators, ref);
export const merger = (ref: FunctionRef): Merger => lookUp('merger', mergers, ref);
export const joiner = (ref: FunctionRef): Joiner => lookUp('joiner', joiners, ref);
