import { type Serde, TopologyError } from '@millrace/core';
import type { DslContext } from './dsl-context.ts';

/**
 * The serde of an operator: the one that is known, else the builder's default.
 *
 * @param operator as the user wrote it, with its name when it has one
 * @param option how it can be given there
 * @throws TopologyError `MISSING_SERDE`
 */
export function requireSerde<T>(
  dsl: DslContext,
  part: 'key' | 'value',
  known: Serde<T> | undefined,
  operator: string,
  option: string = part,
): Serde<T> {
  const serde = known ?? (dsl.defaults[part] as Serde<T> | undefined);
  if (serde !== undefined) return serde;
  const given = `default${part === 'key' ? 'Key' : 'Value'}Serde`;
  throw new TopologyError(
    'MISSING_SERDE',
    `${operator} has to write ${part}s, and an operator above made new ones without a serde; ` +
      `give ${operator} the option \`${option}\`, or that operator the option \`${part}\`, or the builder a ${given}`,
  );
}
