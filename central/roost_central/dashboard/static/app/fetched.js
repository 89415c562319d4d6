/** One answer of the server as a component's state: loading, value or error, and how to ask again. */
import { useCallback, useEffect, useState } from "./html.js";
import { queryString, request } from "./api.js";

/**
 * @param {string|null} path below /api/v1; null asks nothing
 * @param {any} [revision] asks again when it changes, and shows the old answer meanwhile
 * @returns {{value: any, error: import("./api.js").ApiError|null, loading: boolean, reload: () => void}}
 */
export function useFetched(path, revision) {
  const [state, setState] = useState({ path: null, value: null, error: null, loading: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    setState((old) => ({ path, value: old.path === path ? old.value : null, error: null, loading: true }));
    request(path, { signal: stop.signal }).then(
      (value) => setState({ path, value, error: null, loading: false }),
      (error) => {
        if (!stop.signal.aborted) setState((old) => ({ ...old, error, loading: false }));
      },
    );
    return () => stop.abort();
  }, [path, revision, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { ...state, reload };
}

const PAGE = 100;
const OLDER_PAGES_MAX = 10; // 1,000 rows; beyond that a filter or the command line serves better

/**
 * A list that is read newest first, a page at a time.
 *
 * @param {string} path below /api/v1
 * @param {Record<string, string>} view of the list: filter and such
 * @returns {{items: any[]|null, first: any, error: import("./api.js").ApiError|null,
 *   reload: () => void, older: (() => Promise<void>)|null}} `first`: the first page, another at each
 *   reading; `older`: reads the page after the last, null where none is
 */
export function usePages(path, view) {
  const first = useFetched(`${path}${queryString({ ...view, limit: PAGE })}`);
  const none = { of: first.value, items: [], next: first.value?.next ?? null, pages: 0, error: null };
  const [kept, setRest] = useState(none);
  const rest = kept.of === first.value ? kept : none;
  const older = async () => {
    const ask = { ...view, limit: PAGE, cursor: rest.next };
    const next = await request(`${path}${queryString(ask)}`).then((answer) => ({
      ...rest, items: [...rest.items, ...answer.items], next: answer.next, pages: rest.pages + 1, error: null,
    }), (error) => ({ ...rest, error }));
    setRest(next);
  };
  return {
    items: first.value && [...first.value.items, ...rest.items],
    first: first.value,
    error: first.error ?? rest.error,
    reload: first.reload,
    older: rest.next && rest.pages < OLDER_PAGES_MAX ? older : null,
  };
}
