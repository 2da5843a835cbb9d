interface TreeNode<T> {
  readonly value: T;
  parent: TreeNode<T> | undefined;
  left: TreeNode<T> | undefined;
  right: TreeNode<T> | undefined;
  red: boolean;
}

type Side = 'left' | 'right';

/**
 * A red-black tree that is only added to.
 *
 * Why not a sort: Kafka Streams keeps the neighbours of a node in a `TreeSet` whose order changes while it is being filled
 * (sizes of sub-trees grow), so the order that comes out depends on the shape of the tree at each insertion.
 */
export class BalancedTree<T> {
  readonly #compare: (a: T, b: T) => number;
  #root: TreeNode<T> | undefined;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  /** Values that compare as equal are there once. */
  add(value: T): void {
    let parent: TreeNode<T> | undefined;
    let side: Side = 'left';
    for (let at = this.#root; at !== undefined; at = at[side]) {
      const order = this.#compare(value, at.value);
      if (order === 0) return;
      parent = at;
      side = order < 0 ? 'left' : 'right';
    }
    const node: TreeNode<T> = { value, parent, left: undefined, right: undefined, red: true };
    if (parent === undefined) this.#root = node;
    else parent[side] = node;
    this.#rebalance(node);
  }

  /** In the order of the tree. */
  values(): T[] {
    const result: T[] = [];
    const visit = (node: TreeNode<T> | undefined): void => {
      if (node === undefined) return;
      visit(node.left);
      result.push(node.value);
      visit(node.right);
    };
    visit(this.#root);
    return result;
  }

  #rebalance(added: TreeNode<T>): void {
    let node = added;
    while (node.parent?.red && node.parent.parent !== undefined) {
      const grandparent: TreeNode<T> = node.parent.parent;
      const side: Side = grandparent.left === node.parent ? 'left' : 'right';
      const other: Side = side === 'left' ? 'right' : 'left';
      const uncle = grandparent[other];
      if (uncle?.red) {
        node.parent.red = false;
        uncle.red = false;
        grandparent.red = true;
        node = grandparent;
        continue;
      }
      if (node.parent[other] === node) {
        node = node.parent;
        this.#rotate(node, side);
      }
      if (node.parent !== undefined) node.parent.red = false;
      grandparent.red = true;
      this.#rotate(grandparent, other);
    }
    if (this.#root !== undefined) this.#root.red = false;
  }

  /** Lets the child on the other side take the node's place; the node goes down to `towards`. */
  #rotate(node: TreeNode<T>, towards: Side): void {
    const other: Side = towards === 'left' ? 'right' : 'left';
    const child = node[other];
    if (child === undefined) return;
    node[other] = child[towards];
    if (node[other] !== undefined) node[other].parent = node;
    child.parent = node.parent;
    if (node.parent === undefined) this.#root = child;
    else if (node.parent.left === node) node.parent.left = child;
    else node.parent.right = child;
    child[towards] = node;
    node.parent = child;
  }
}
