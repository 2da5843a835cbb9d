import { inspect } from 'node:util';

interface Entry {
  readonly atMs: number;
  readonly text: string;
  readonly fields: object | undefined;
}

/** What a worker has said and what became of it, over all its processes. */
export class Journal {
  readonly nowMs: () => number;
  readonly #name: string;
  readonly #entries: Entry[] = [];
  readonly #open = new Set<string>();
  readonly #openings = new Map<string, number>();
  readonly #rebalances: number[] = [];
  #state = 'none';

  constructor(name: string, nowMs: () => number) {
    this.#name = name;
    this.nowMs = () => Math.round(nowMs());
  }

  /** Of the application. */
  get appState(): string {
    return this.#state;
  }

  /** Tasks that it has now. */
  get openTasks(): ReadonlySet<string> {
    return this.#open;
  }

  /** When it last opened each task that it ever had. */
  get openings(): ReadonlyMap<string, number> {
    return this.#openings;
  }

  /** Since when it has the tasks that it has now. */
  tenures(): Map<string, number> {
    return new Map([...this.#openings].filter(([taskId]) => this.#open.has(taskId)));
  }

  note(text: string, fields?: object): void {
    this.#entries.push({ atMs: this.nowMs(), text, fields });
  }

  state(state: string): void {
    this.#state = state;
    if (state === 'rebalancing') this.#rebalances.push(this.nowMs());
    this.note(`is ${state}`);
  }

  task(change: 'opened' | 'closed', taskId: string): void {
    this.note(`${change} ${taskId}`);
    if (change === 'closed') this.#open.delete(taskId);
    else {
      this.#open.add(taskId);
      this.#openings.set(taskId, this.nowMs());
    }
  }

  closedAll(): void {
    this.#open.clear();
    this.#state = 'none';
  }

  rebalancesSince(atMs: number): number {
    return this.#rebalances.filter((at) => at > atMs).length;
  }

  /** For the messages of failed runs. */
  lines(): { readonly atMs: number; readonly line: string }[] {
    return this.#entries.map(({ atMs, text, fields }) => {
      const more = fields === undefined ? '' : ` ${inspect(fields, { breakLength: Infinity, depth: 3 }).slice(0, 1500)}`;
      return { atMs, line: `${String(atMs).padStart(7)} ${this.#name}: ${text}${more}` };
    });
  }
}
