/** One answer of the server as a component's state: loading, value or error, and how to ask again. */
import { useCallback, useEffect, useState } from "./html.js";
import { request } from "./api.js";

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
