import { describe, expect, it } from 'vitest';
import { murmur3 } from './murmur3.ts';

function hash(bytes: Buffer): string {
  const target = Buffer.alloc(16);
  // Not at the beginning: offsets have to count.
  murmur3(Buffer.concat([Buffer.from('xyz'), bytes, Buffer.from('z')]), 3, 3 + bytes.length, target);
  return target.toString('hex');
}

/** From Kafka Streams 4.3.1, `Murmur3.hash128`, of `length` bytes `37 i + length`. */
const golden: readonly [length: number, hash: string][] = [
  [0, '9d2764a018e329428c3cf3b035938518'],
  [1, 'a04116a8ea130c2064af89d3eb9703d1'],
  [7, '4f66129d018da90b04dc0e45427cba9c'],
  [8, '489e80bb663f0ff950d3bfa977f3e227'],
  [9, '0e6d06218fba4aedeb28629e17ef4069'],
  [15, 'ff192b883fe0a26daf58dabb5ab39f43'],
  [16, '47ac0c84dbdee98c95e813d263dc43e8'],
  [17, '7239c265ac81f716370f845a779bc4b7'],
  [31, '7c8436049eda7a38a6f4c5ca944501a3'],
  [32, '269ef501e4e217d71cb695fc91ebbfa1'],
  [33, '2eccf31fe49dcc9debcdb6b306d5b0fa'],
  [100, '9c75de43635b79171510b327538a6754'],
  [1000, '656ff059ff9d226d049a9921bd1d51c8'],
];

describe('murmur3 of 128 bits', () => {
  it.each(golden)('of %i bytes is that of Kafka Streams', (length, expected) => {
    expect(hash(Buffer.from(Array.from({ length }, (_, i) => i * 37 + length)))).toBe(expected);
  });

  it('of JSON is that of Kafka Streams', () => {
    expect(hash(Buffer.from('{"customer":"c1","cents":1250}'))).toBe('bc323a68c2cbf4bcaa04ae3a811e9c5f');
  });
});
