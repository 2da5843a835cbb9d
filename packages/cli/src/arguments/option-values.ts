import { UsageError } from '../usage-error.ts';

/** The value of an option that has to be there. @throws UsageError */
export function required(value: string | undefined, option: string, variable: string): string {
  if (value !== undefined && value !== '') return value;
  throw new UsageError(`${option} is missing; give it, or set ${variable}`);
}

/** Addresses with commas between them. @throws UsageError */
export function brokersOf(list: string): string[] {
  const brokers = list
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  if (brokers.length === 0) throw new UsageError(`--brokers ${JSON.stringify(list)}: give host:port, or several with commas`);
  return brokers;
}

/** The property, unless its value is absent: an explicit `undefined` would hide a default. */
export function property<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [N in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: Value };
}
