/** What the ids of a vector's steps stand for. */
export class Graph {
  readonly #nodes = new Map<string, unknown>();

  /** @throws Error when no earlier step has the id */
  get(id: string | undefined): unknown {
    if (id !== undefined && this.#nodes.has(id)) return this.#nodes.get(id);
    throw new Error(`no step before this one has the id ${id}`);
  }

  set(id: string | undefined, node: unknown): void {
    if (id !== undefined) this.#nodes.set(id, node);
  }
}
