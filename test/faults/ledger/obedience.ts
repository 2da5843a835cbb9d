import { systemClock } from '@millrace/core';

/** A file in the state directory of a process: what waits in it goes on when it is there. */
export const RELEASE = 'go-on';

const LOOK_MS = 20;
/** So that nothing stays behind of a test that has come to no end. */
const RELEASED_WITHIN_MS = 240_000;

/**
 * Does what the `order` of a record says, once for each order in the life of a process, or every time when it ends with `always`:
 *
 * - `throw`, `reject`: fails at once or by a promise
 * - `hang`: never comes back
 * - `sleep:<ms>`: waits with the event loop free
 * - `sleep`, `block`: waits until the process is released, with the event loop free, or with the event loop held
 */
export function obedience(onOrder: (order: string) => void, isReleased: () => boolean): (order: string) => void | Promise<void> {
  const obeyed = new Set<string>();
  return (order) => {
    if (obeyed.has(order) && !order.endsWith('always')) return undefined;
    obeyed.add(order);
    onOrder(order);
    const [action, amount] = order.split(' ')[0]?.split(':') ?? [];
    const isOver = amount === undefined ? isReleased : after(Number(amount));
    return obey(action, isOver, order);
  };
}

/** True from so many milliseconds on. */
function after(ms: number): () => boolean {
  const endMs = systemClock.monotonicMs() + ms;
  return () => systemClock.monotonicMs() >= endMs;
}

function obey(action: string | undefined, isOver: () => boolean, order: string): void | Promise<void> {
  switch (action) {
    case 'throw':
      throw new Error(`the record orders: ${order}`);
    case 'reject':
      return Promise.reject(new Error(`the record orders: ${order}`));
    case 'hang':
      return new Promise(() => undefined);
    case 'sleep':
      return sleep(isOver);
    case 'block':
      return block(isOver);
    default:
      throw new Error(`no such order: ${order}`);
  }
}

async function sleep(isOver: () => boolean): Promise<void> {
  const isLate = after(RELEASED_WITHIN_MS);
  while (!isOver() && !isLate()) await systemClock.sleep(LOOK_MS);
}

function block(isOver: () => boolean): void {
  const isLate = after(RELEASED_WITHIN_MS);
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));
  while (!isOver() && !isLate()) Atomics.wait(nobodyWakes, 0, 0, LOOK_MS);
}
