/** Kafka Streams' seed. */
const SEED = 104_729;

/** A 64-bit number in two halves of 32 bits, changed in place: neither a BigInt nor an object per operation. */
class Word {
  high = 0;
  low = 0;

  set(high: number, low: number): void {
    this.high = high | 0;
    this.low = low | 0;
  }

  xor(other: Word): void {
    this.high ^= other.high;
    this.low ^= other.low;
  }

  add(high: number, low: number): void {
    const sum = (this.low >>> 0) + (low >>> 0);
    this.high = (this.high + high + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    this.low = sum | 0;
  }

  multiply(high: number, low: number): void {
    this.high = (upperProduct(this.low, low) + Math.imul(this.high, low) + Math.imul(this.low, high)) | 0;
    this.low = Math.imul(this.low, low);
  }

  /** @param by 1 to 31 */
  rotateLeft(by: number): void {
    const { high, low } = this;
    this.high = (high << by) | (low >>> (32 - by));
    this.low = (low << by) | (high >>> (32 - by));
  }

  swap(): void {
    const { high } = this;
    this.high = this.low;
    this.low = high;
  }

  /** `this ^= this >>> 33` */
  xorShift33(): void {
    this.low ^= this.high >>> 1;
  }

  /** Murmur3's `fmix64`. */
  finish(): void {
    this.xorShift33();
    this.multiply(0xff51afd7, 0xed558ccd);
    this.xorShift33();
    this.multiply(0xc4ceb9fe, 0x1a85ec53);
    this.xorShift33();
  }
}

/** Bits 32 to 63 of the product of two 32-bit numbers without sign. */
function upperProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (carry >>> 16)) | 0;
}

const h1 = new Word();
const h2 = new Word();
const k1 = new Word();
const k2 = new Word();

/**
 * The 128-bit hash by which a foreign-key join recognises the value that a response was made for: Murmur3 for 64-bit machines,
 * as big-endian bytes of its two halves.
 *
 * Source: Kafka Streams `Murmur3.hash128`.
 *
 * @param target gets 16 bytes
 */
export function murmur3(bytes: Buffer, start: number, end: number, target: Buffer): void {
  h1.set(0, SEED);
  h2.set(0, SEED);
  let at = start;
  for (; end - at >= 16; at += 16) mixBlock(bytes, at);
  mixTail(bytes, at, end);
  h1.low ^= end - start;
  h2.low ^= end - start;
  h1.add(h2.high, h2.low);
  h2.add(h1.high, h1.low);
  h1.finish();
  h2.finish();
  h1.add(h2.high, h2.low);
  h2.add(h1.high, h1.low);
  target.writeInt32BE(h1.high, 0);
  target.writeInt32BE(h1.low, 4);
  target.writeInt32BE(h2.high, 8);
  target.writeInt32BE(h2.low, 12);
}

function mixBlock(bytes: Buffer, at: number): void {
  k1.set(bytes.readInt32LE(at + 4), bytes.readInt32LE(at));
  k2.set(bytes.readInt32LE(at + 12), bytes.readInt32LE(at + 8));
  mixFirst();
  h1.rotateLeft(27);
  h1.add(h2.high, h2.low);
  h1.multiply(0, 5);
  h1.add(0, 0x52dce729);
  mixSecond();
  h2.rotateLeft(31);
  h2.add(h1.high, h1.low);
  h2.multiply(0, 5);
  h2.add(0, 0x38495ab5);
}

/** Fewer than 16 bytes, as if zeros followed. */
function mixTail(bytes: Buffer, at: number, end: number): void {
  if (at === end) return;
  k1.set(littleEndian(bytes, at + 4, end), littleEndian(bytes, at, end));
  k2.set(littleEndian(bytes, at + 12, end), littleEndian(bytes, at + 8, end));
  mixFirst();
  mixSecond();
}

/** Four bytes; those from `end` on are zero. */
function littleEndian(bytes: Buffer, at: number, end: number): number {
  let word = 0;
  for (let i = Math.min(at + 4, end) - 1; i >= at; i--) word = (word << 8) | (bytes[i] as number);
  return word;
}

function mixFirst(): void {
  k1.multiply(0x87c37b91, 0x114253d5);
  k1.rotateLeft(31);
  k1.multiply(0x4cf5ad43, 0x2745937f);
  h1.xor(k1);
}

function mixSecond(): void {
  k2.multiply(0x4cf5ad43, 0x2745937f);
  // By 33: by 32, then by one.
  k2.swap();
  k2.rotateLeft(1);
  k2.multiply(0x87c37b91, 0x114253d5);
  h2.xor(k2);
}
