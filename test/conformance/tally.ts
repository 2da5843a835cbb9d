import type { Verdict } from './check-vector.ts';

interface Counts {
  passed: number;
  failed: number;
}

/** Counts verdicts per directory. No vector is ever skipped; the closing line says so in the words that scripts look for. */
export class Tally {
  readonly #folders = new Map<string, Counts>();

  add(folder: string, verdict: Verdict): void {
    const counts = this.#folders.get(folder) ?? { passed: 0, failed: 0 };
    this.#folders.set(folder, counts);
    counts[verdict.kind]++;
  }

  get failed(): number {
    return this.#sum().failed;
  }

  get total(): number {
    const { passed, failed } = this.#sum();
    return passed + failed;
  }

  /** Counts per directory, and the closing line. */
  report(): string {
    const width = Math.max(0, ...[...this.#folders.keys()].map((folder) => folder.length));
    const lines = [...this.#folders].map(([folder, counts]) => `${folder.padEnd(width)}  ${format(counts)}`);
    return `${[...lines, format(this.#sum())].join('\n')}\n`;
  }

  #sum(): Counts {
    const sum = { passed: 0, failed: 0 };
    for (const counts of this.#folders.values()) {
      sum.passed += counts.passed;
      sum.failed += counts.failed;
    }
    return sum;
  }
}

function format({ passed, failed }: Counts): string {
  return `${passed} passed, ${failed} failed, 0 skipped`;
}
