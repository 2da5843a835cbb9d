import { describe, expect, it } from 'vitest';
import { formatEndpoint, parseEndpoints } from './broker-endpoint.ts';

describe('a bootstrap list', () => {
  it('names hosts, IPv4 and IPv6 addresses with their ports', () => {
    expect(parseEndpoints(['kafka-1.example:9092', '10.0.0.1:9093', '[::1]:9094', ' b:1 '])).toEqual([
      { host: 'kafka-1.example', port: 9092 },
      { host: '10.0.0.1', port: 9093 },
      { host: '::1', port: 9094 },
      { host: 'b', port: 1 },
    ]);
  });

  it('names every entry that is wrong, at once', () => {
    expect(() => parseEndpoints(['good:1', 'kafka', '::1:9092', 'a:0', 'a:70000', 'http://a:1', ''])).toThrow(
      '"kafka", "::1:9092", "a:0", "a:70000", "http://a:1", ""',
    );
  });

  it('must not be empty', () => {
    expect(() => parseEndpoints([])).toThrow('"brokers" is empty');
  });

  it('is shown as it was written', () => {
    for (const text of ['a:1', '[::1]:2']) expect(parseEndpoints([text]).map(formatEndpoint)).toEqual([text]);
  });
});
