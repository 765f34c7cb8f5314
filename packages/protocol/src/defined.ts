/**
 * Objects without `undefined` fields, for stored rows and messages.
 *
 * Owns: the conversion of a field that may be undefined into a field that may be missing. Storage and types distinguish
 * the two.
 */

/** `T` with each field that may be `undefined` optional instead. */
export type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Copies an object without its `undefined` fields, in the same order. Too slow for code that runs for each step. */
export function defined<const T extends object>(fields: T): Defined<T> {
  // A cast: types cannot express a filter by value.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
