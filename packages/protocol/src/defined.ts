/**
 * Objects without `undefined` fields, as stored rows and messages are.
 *
 * Owns: the step from "a field that may be undefined" to "a field that may be missing", which storage and types tell
 * apart.
 */

/** `T` with each field that may be `undefined` optional instead. */
export type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** A copy without the fields that are `undefined`; the others keep their order. Not for paths that each step takes. */
export function defined<const T extends object>(fields: T): Defined<T> {
  // A cast: what is filtered out by value, no type can follow.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
