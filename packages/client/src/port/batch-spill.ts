/**
 * Where a producer puts complete batches that memory has no room for, until it is their turn to be sent: usually a file.
 *
 * Everything is synchronous, because records are appended synchronously. Nothing has to outlive the process.
 */
export interface BatchSpill {
  /**
   * Puts the bytes behind those that are there.
   *
   * @returns where they stand
   * @throws whatever stands in the way; then none of them is there
   */
  write(bytes: Uint8Array): number;
  /**
   * @returns a view that is valid until the next call
   * @throws when they cannot be read to the end
   */
  read(position: number, length: number): Buffer;
  /** Forgets everything and gives the space back. Never throws. */
  clear(): void;
  /** Nothing is written or read any more. Never throws. */
  close(): void;
}
