import {
  asyncProcessorNodeSupplier,
  type AsyncProcessorSupplier,
  type AsyncSettings,
  type NodeProcessorSupplier,
} from '@millrace/topology';

export interface ProcessAsyncOptions<K, V, R, KOut, VOut> {
  readonly supplier: AsyncProcessorSupplier<K, V, R, KOut, VOut>;
  readonly settings: AsyncSettings;
}

/** `KStream.processAsync`: a processor whose `request` runs beside others, and whose `process` takes the answers one by one. */
export function processAsyncOperator<K, V, R, KOut, VOut>(
  options: ProcessAsyncOptions<K, V, R, KOut, VOut>,
): NodeProcessorSupplier {
  return asyncProcessorNodeSupplier(options.supplier, options.settings);
}
