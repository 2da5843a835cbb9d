/**
 * Node's typed-by-nobody fast paths of `Buffer`: the same results as `toString`/`write`, without the dispatch over encodings.
 * They have been stable since Node 0.x; the generic forms would cost a third more per string on the record path.
 */
interface NativeBuffer {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
  utf8Write(text: string, offset: number): number;
}

export function utf8Slice(bytes: Buffer, start: number, end: number): string {
  return (bytes as unknown as NativeBuffer).utf8Slice(start, end);
}

/** One character per byte: a lossless text form of bytes, used as a map key. */
export function latin1Slice(bytes: Buffer, start: number, end: number): string {
  return (bytes as unknown as NativeBuffer).latin1Slice(start, end);
}

/** Returns the number of bytes written; the caller has reserved three bytes per UTF-16 unit. */
export function utf8Write(bytes: Buffer, text: string, offset: number): number {
  return (bytes as unknown as NativeBuffer).utf8Write(text, offset);
}
