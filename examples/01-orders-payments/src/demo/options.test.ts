import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';

describe('readOptions', () => {
  it('starts a broker of its own unless the command line or KAFKA_BROKERS names one', () => {
    expect(readOptions([], {})).toMatchObject({ brokers: [], port: 0, keep: false });
    expect(readOptions([], { KAFKA_BROKERS: 'a:1,b:2' }).brokers).toEqual(['a:1', 'b:2']);
    expect(readOptions(['--brokers', 'c:3'], { KAFKA_BROKERS: 'a:1' }).brokers).toEqual(['c:3']);
  });

  it.each([
    [['--port', '70000'], '--port is "70000", but must be a whole number from 0 to 65535'],
    [['--orders', 'many'], '--orders is "many", but must be a whole number from 10 to 100000'],
    [['--nonsense'], "Unknown option '--nonsense'"],
  ])('refuses %j', (args, message) => {
    expect(() => readOptions(args, {})).toThrow(message);
  });
});
