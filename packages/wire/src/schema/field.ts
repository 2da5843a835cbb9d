import type { VersionRange } from './version-range.ts';

/**
 * The language in which messages are described, modelled on the message definitions of the Kafka protocol: a message is a
 * record of named fields, and a field says in which versions it exists. Types are inferred from it, codecs compiled from it.
 *
 * @example
 * const request = { groupId: string(), reason: string({ versions: '8+', nullable: '8+' }), topics: array({ name: string() }) };
 */

/** What may be said about a field besides its type. */
export interface FieldOptions<T> {
  /** Versions that have the field. Default: all. */
  readonly versions?: VersionRange;
  /** Versions in which it may be null (`undefined` here). Default: none. */
  readonly nullable?: VersionRange;
  /** What it means when the field is not given, or does not exist in the version. Makes it optional for the encoder. */
  readonly default?: T;
  /** Number in the tag section of the struct; such a field is written only when it differs from its default. */
  readonly tag?: number;
  /** True when a request may carry the field in versions that cannot express it: it is then left out without an error. */
  readonly ignorable?: true;
}

export type ScalarKind = 'boolean' | 'int8' | 'int16' | 'uint16' | 'int32' | 'int64' | 'uuid' | 'string' | 'bytes';

/** The type of a field, as data. */
export type FieldType =
  | { readonly kind: ScalarKind }
  | { readonly kind: 'array'; readonly element: Field }
  | { readonly kind: 'struct'; readonly fields: Fields };

/**
 * A described field.
 *
 * @typeParam Out what the decoder makes
 * @typeParam In what the encoder takes
 * @typeParam Optional whether the encoder can do without it
 */
export interface Field<Out = unknown, In = unknown, Optional extends boolean = boolean> {
  readonly type: FieldType;
  readonly options: FieldOptions<unknown>;
  /** Exists for the compiler only. */
  readonly inferred?: { readonly out: Out; readonly in: In; readonly optional: Optional };
}

export type Fields = Readonly<Record<string, Field>>;

type OutOf<F> = F extends Field<infer Out, unknown, boolean> ? Out : never;
type InOf<F> = F extends Field<unknown, infer In, boolean> ? In : never;
type OptionalNames<F extends Fields> = {
  [Name in keyof F]: F[Name] extends Field<unknown, unknown, infer Optional> ? (Optional extends true ? Name : never) : never;
}[keyof F];

/** What the decoder makes of a message: every field is there; null is `undefined`. */
export type Decoded<F extends Fields> = { readonly [Name in keyof F]: OutOf<F[Name]> };

/** What the encoder takes: fields with a default, nullable and tagged ones may be left out. */
export type Encodable<F extends Fields> = {
  readonly [Name in Exclude<keyof F, OptionalNames<F>>]: InOf<F[Name]>;
} & {
  readonly [Name in OptionalNames<F>]?: InOf<F[Name]> | undefined;
};

type HasDefault<O> = O extends { readonly default: unknown } ? true : false;
/** Null comes from `nullable`; a tagged field without a default is absent rather than something. */
type Absent<O> = O extends { readonly nullable: VersionRange }
  ? undefined
  : O extends { readonly tag: number }
    ? HasDefault<O> extends true
      ? never
      : undefined
    : never;
type IsOptional<O> = O extends { readonly default: unknown } | { readonly nullable: VersionRange } | { readonly tag: number }
  ? true
  : false;
type FieldOf<Out, In, O> = Field<Out | Absent<O>, In | Absent<O>, IsOptional<O>>;

type NoOptions = Record<never, never>;

function scalar<T>(kind: ScalarKind): <const O extends FieldOptions<T> = NoOptions>(options?: O) => FieldOf<T, T, O> {
  return (options) => ({ type: { kind }, options: options ?? {} });
}

export const boolean = scalar<boolean>('boolean');
export const int8 = scalar<number>('int8');
export const int16 = scalar<number>('int16');
export const uint16 = scalar<number>('uint16');
export const int32 = scalar<number>('int32');
/** A JS number; exact for safe integers. */
export const int64 = scalar<number>('int64');
/** 36 characters; all zeros means none. */
export const uuid = scalar<string>('uuid');
export const string = scalar<string>('string');
/** Decoded bytes are a view of the message. */
export const bytes = scalar<Buffer>('bytes');

/** A list of scalars, or of structs when given fields. */
export function array<F extends Field, const O extends FieldOptions<readonly []> = NoOptions>(
  element: F,
  options?: O,
): FieldOf<readonly OutOf<F>[], readonly InOf<F>[], O>;
export function array<F extends Fields, const O extends FieldOptions<readonly []> = NoOptions>(
  fields: F,
  options?: O,
): FieldOf<readonly Decoded<F>[], readonly Encodable<F>[], O>;
export function array(element: Field | Fields, options: FieldOptions<readonly []> = {}): Field {
  return { type: { kind: 'array', element: isField(element) ? element : struct(element) }, options };
}

/** A struct inside a message. */
export function struct<F extends Fields, const O extends FieldOptions<never> = NoOptions>(
  fields: F,
  options?: O,
): FieldOf<Decoded<F>, Encodable<F>, O> {
  return { type: { kind: 'struct', fields }, options: options ?? {} };
}

function isField(element: Field | Fields): element is Field {
  return 'type' in element && 'options' in element && 'kind' in element.type;
}
