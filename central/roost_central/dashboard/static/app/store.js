/** A value that tells its readers when it changes: all the state that more than one part shares. */
import { useLayoutEffect, useReducer } from "./html.js";

/**
 * @template T
 * @typedef {{get: () => T, set: (next: T) => void, subscribe: (f: () => void) => () => void}} Store
 */

/**
 * @template T
 * @param {T} value
 * @returns {Store<T>}
 */
export function createStore(value) {
  const readers = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const reader of [...readers]) reader();
    },
    subscribe(reader) {
      readers.add(reader);
      return () => readers.delete(reader);
    },
  };
}

/**
 * Read a store in a component, and draw it again after each change.
 * @template T
 * @param {Store<T>} store
 * @returns {T}
 */
export function useStore(store) {
  const [, redraw] = useReducer((n) => n + 1, 0);
  useLayoutEffect(() => {
    const shown = store.get();
    const stop = store.subscribe(redraw);
    if (!Object.is(shown, store.get())) redraw();
    return stop;
  }, [store]);
  return store.get();
}
