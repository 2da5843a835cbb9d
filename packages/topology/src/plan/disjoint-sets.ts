/** Groups of names that grow together. Union-find with path halving; the older root stays. */
export class DisjointSets {
  readonly #parents = new Map<string, string>();

  add(name: string): void {
    if (!this.#parents.has(name)) this.#parents.set(name, name);
  }

  /** The name that stands for the group of `name`; `name` itself when it was never added. */
  rootOf(name: string): string {
    let current = name;
    for (;;) {
      const parent = this.#parents.get(current) ?? current;
      if (parent === current) return current;
      const grandparent = this.#parents.get(parent) ?? parent;
      this.#parents.set(current, grandparent);
      current = grandparent;
    }
  }

  unite(a: string, b: string): void {
    this.add(a);
    this.add(b);
    this.#parents.set(this.rootOf(b), this.rootOf(a));
  }
}
