import { parseArgs } from 'node:util';

/** What the command line and the environment say about a run. */
export interface DemoOptions {
  /** Addresses of a Kafka, `host:port`. None: a development broker of its own. */
  readonly brokers: readonly string[];
  /** Port of the development broker; 0 for any that is free. */
  readonly port: number;
  /** How many orders an hour of event time brings. */
  readonly orders: number;
  /** How long that hour takes, in seconds. */
  readonly seconds: number;
  /** The same seed gives the same orders and payments. */
  readonly seed: number;
  /** Leaves topics and group in Kafka instead of deleting them. */
  readonly keep: boolean;
}

/** @throws TypeError `ERR_PARSE_ARGS_…` naming what is wrong */
export function readOptions(args: readonly string[], env: Readonly<{ [name: string]: string | undefined }>): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      brokers: { type: 'string', default: env.KAFKA_BROKERS ?? '' },
      port: { type: 'string', default: '0' },
      orders: { type: 'string', default: '1200' },
      seconds: { type: 'string', default: '18' },
      seed: { type: 'string', default: '1' },
      keep: { type: 'boolean', default: false },
    },
  });
  return {
    brokers: values.brokers.split(',').filter((address) => address !== ''),
    port: wholeNumber('port', values.port, 0, 65_535),
    orders: wholeNumber('orders', values.orders, 10, 100_000),
    seconds: wholeNumber('seconds', values.seconds, 1, 30),
    seed: wholeNumber('seed', values.seed, 0, 2 ** 31),
    keep: values.keep,
  };
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  const message = `--${name} is "${text}", but must be a whole number from ${min} to ${max}`;
  throw Object.assign(new TypeError(message), { code: 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE' });
}
