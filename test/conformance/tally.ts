import type { Verdict } from './check-vector.ts';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Counts verdicts per directory, and what was skipped per operator. */
export class Tally {
  readonly #folders = new Map<string, Counts>();
  readonly #missing = new Map<string, number>();

  add(folder: string, verdict: Verdict): void {
    const counts = this.#folders.get(folder) ?? { passed: 0, failed: 0, skipped: 0 };
    this.#folders.set(folder, counts);
    counts[verdict.kind]++;
    if (verdict.kind !== 'skipped') return;
    for (const operator of verdict.operators) this.#missing.set(operator, (this.#missing.get(operator) ?? 0) + 1);
  }

  get failed(): number {
    return this.#sum().failed;
  }

  get total(): number {
    const { passed, failed, skipped } = this.#sum();
    return passed + failed + skipped;
  }

  /** Counts per directory, the operators that vectors were skipped for, and the closing line. */
  report(): string {
    const width = Math.max(0, ...[...this.#folders.keys()].map((folder) => folder.length));
    const lines = [...this.#folders].map(([folder, counts]) => `${folder.padEnd(width)}  ${format(counts)}`);
    const missing = [...this.#missing].toSorted((a, b) => b[1] - a[1]);
    if (missing.length > 0) lines.push('skipped for operators that do not exist yet (a vector may need several):');
    for (const [operator, count] of missing) lines.push(`  ${String(count).padStart(4)}  ${operator}`);
    return `${[...lines, format(this.#sum())].join('\n')}\n`;
  }

  #sum(): Counts {
    const sum = { passed: 0, failed: 0, skipped: 0 };
    for (const counts of this.#folders.values()) {
      sum.passed += counts.passed;
      sum.failed += counts.failed;
      sum.skipped += counts.skipped;
    }
    return sum;
  }
}

function format({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
