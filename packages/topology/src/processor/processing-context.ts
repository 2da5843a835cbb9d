import type { NodeContext } from '../node/node-processor.ts';
import type { ProcessingContext } from './processor.ts';
import { UserFixedKeyContext } from './user-processor-context.ts';

/** What user code that forwards nothing by itself (a value transformer) sees of its surroundings. */
export function processingContext(node: NodeContext): ProcessingContext {
  return new UserFixedKeyContext(node);
}
