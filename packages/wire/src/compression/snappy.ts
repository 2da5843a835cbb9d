import { createRequire } from 'node:module';
import { ProtocolReader } from '../primitives/protocol-reader.ts';
import { codecUnavailable, corruptCompression, decompressedTooLarge } from './codec-errors.ts';

interface SnappyLibrary {
  compressSync(input: Uint8Array): Buffer;
  uncompressSync(input: Uint8Array, options: { asBuffer: true }): Buffer;
}

/** What snappy-java, and so Kafka's Java client, puts in front of a sequence of blocks: "\x82SNAPPY\0", version 1, compatible 1. */
const XERIAL_HEADER = Buffer.from('82534e41505059000000000100000001', 'hex');
const XERIAL_MAGIC_BYTES = 8;
/** The block size of Kafka's Java client. */
const BLOCK_BYTES = 32 * 1024;
/** The best that the format can do is a copy of 64 bytes in three. A header that promises more than that lies. */
const EXPANSION_MAX = 22;

let loaded: SnappyLibrary | undefined;

/** Compresses into the framing of snappy-java, which all Kafka clients read. */
export function compressSnappy(bytes: Buffer): Buffer {
  const snappy = library();
  const parts: Buffer[] = [XERIAL_HEADER];
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const block = snappy.compressSync(bytes.subarray(start, start + BLOCK_BYTES));
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(block.length, 0);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

/** Accepts the framing of snappy-java and a bare snappy block (what C clients write). */
export function decompressSnappy(bytes: Buffer, bytesMax: number): Buffer {
  if (!isXerial(bytes)) return decompressBlock(bytes, bytesMax);
  const blocks: Buffer[] = [];
  let total = 0;
  for (const block of xerialBlocks(bytes)) {
    const plain = decompressBlock(block, bytesMax - total, bytesMax);
    total += plain.length;
    blocks.push(plain);
  }
  return blocks.length === 1 ? (blocks[0] as Buffer) : Buffer.concat(blocks, total);
}

function isXerial(bytes: Buffer): boolean {
  return bytes.length >= XERIAL_HEADER.length && bytes.compare(XERIAL_HEADER, 0, XERIAL_MAGIC_BYTES, 0, XERIAL_MAGIC_BYTES) === 0;
}

function* xerialBlocks(bytes: Buffer): Generator<Buffer> {
  const reader = new ProtocolReader(bytes, XERIAL_HEADER.length);
  while (reader.remaining > 0) yield reader.bytes(reader.int32());
}

function decompressBlock(block: Buffer, bytesLeft: number, bytesMax = bytesLeft): Buffer {
  const declared = new ProtocolReader(block).uvarint();
  if (declared > bytesLeft) throw decompressedTooLarge('snappy', bytesMax);
  if (declared > block.length * EXPANSION_MAX)
    throw corruptCompression('snappy', `${block.length} bytes claim to hold ${declared}`);
  const snappy = library();
  try {
    return snappy.uncompressSync(block, { asBuffer: true });
  } catch (error) {
    throw corruptCompression('snappy', (error as Error).message, error);
  }
}

function library(): SnappyLibrary {
  if (loaded !== undefined) return loaded;
  try {
    loaded = createRequire(import.meta.url)('snappy') as SnappyLibrary;
    return loaded;
  } catch (error) {
    throw codecUnavailable('snappy', 'snappy', error);
  }
}
