/**
 * Marks promises as handled.
 *
 * Owns: the one way to do it. Every promise that the engine gives to the author's code, or derives from one, passes
 * through here: code may handle its rejection late, or never, and Node ends the process then (REP7).
 */

/** Marks a promise as handled, and returns it. A reaction that does nothing delays no other reaction. */
export function handled<P extends PromiseLike<unknown>>(promise: P): P {
  promise.then(undefined, () => {});
  return promise;
}
