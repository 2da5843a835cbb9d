/**
 * The part of Standard Schema (https://standardschema.dev, version 1) that Millrace calls: any library that implements it
 * (zod, valibot, arktype, …) can validate values as they are read.
 */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * Validates synchronously.
 *
 * @throws TypeError with every issue when the value does not fit, or when the schema is asynchronous
 */
export function validate<Output>(schema: StandardSchema<Output>, value: unknown): Output {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) {
    throw new TypeError(
      `the ${schema['~standard'].vendor} schema validates asynchronously; records are read synchronously, use a synchronous schema`,
    );
  }
  if (result.issues === undefined) return result.value;
  throw new TypeError(`the value does not fit its schema: ${result.issues.map(describeIssue).join('; ')}`);
}

function describeIssue(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}
