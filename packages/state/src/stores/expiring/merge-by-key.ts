import { BUCKET_PREFIX_BYTES } from '../../layout/retention.ts';
import type { ScannedRow } from '../../layout/merged-scan.ts';

/** Rows of several time buckets, each in the order of its keys, as one list in the order of keys. */
export async function* mergeByKey<T>(
  buckets: readonly AsyncGenerator<ScannedRow<T>, void>[],
  reverse: boolean,
): AsyncGenerator<ScannedRow<T>, void> {
  const heads: { readonly scan: AsyncGenerator<ScannedRow<T>, void>; row: ScannedRow<T> }[] = [];
  try {
    for (const scan of buckets) {
      const first = await scan.next();
      if (!first.done) heads.push({ scan, row: first.value });
    }
    while (heads.length > 0) {
      const next = heads.reduce((a, b) => (isBefore(b.row[0], a.row[0]) === !reverse ? b : a));
      yield next.row;
      const following = await next.scan.next();
      if (following.done) heads.splice(heads.indexOf(next), 1);
      else next.row = following.value;
    }
  } finally {
    for (const { scan } of heads) await scan.return();
  }
}

/** No two buckets hold rows of the same key. */
function isBefore(a: Buffer, b: Buffer): boolean {
  return a.compare(b, BUCKET_PREFIX_BYTES, b.length, BUCKET_PREFIX_BYTES, a.length) < 0;
}
