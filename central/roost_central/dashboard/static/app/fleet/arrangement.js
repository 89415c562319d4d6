/**
 * When a new order is shown: at once after the operator asked for one, else only when no row can
 * move under the pointer or the keyboard's focus. What waits is counted, and taken with "n".
 */
import {
  useCallback, useEffect, useLayoutEffect, useReducer, useRef, useState,
} from "../html.js";
import { serverNow } from "../time.js";
import { arrange } from "./arrange.js";

const QUIET_MS_MIN = 1_000; // between two orders that nobody asked for
const TIMED_MS = 5_000; // how often an order that depends on ages is looked at again

/**
 * @param {import("./model.js").FleetModel} model
 * @param {{filter: import("./filter.js").Filter|null, group: string, sort: string}} view
 * @param {{current: HTMLElement|null}} area where rows must not move under the cursor
 */
export function useArrangement(model, { filter, group, sort }, area) {
  const [version, redraw] = useReducer((n) => n + 1, 0);
  const [arranged, setArranged] = useState({ groups: [], rows: [] });
  const kept = useRef({ codes: new Uint8Array(0), waiting: new Set(), atMs: 0 });

  const apply = useCallback(() => {
    if (!filter || !model.loaded) return;
    const now = serverNow();
    const matches = (position) => filter.matches(position, now);
    kept.current = { codes: model.codes.slice(), waiting: new Set(), atMs: performance.now() };
    setArranged(arrange(model, { matches, group, sort }));
  }, [model, filter, group, sort]);

  useLayoutEffect(apply, [apply]); // before the paint: a keystroke is answered in the same frame
  useEffect(() => model.subscribe((touched) => {
    if (touched === null) apply();
    else noteChanges(model, touched, kept.current);
    redraw();
  }), [model, apply]);
  useEffect(() => {
    const timed = filter?.usesTime || sort.endsWith("heard");
    const look = setInterval(() => {
      const { waiting, atMs } = kept.current;
      const quiet = performance.now() - atMs;
      const due = waiting.size ? quiet > QUIET_MS_MIN : timed && quiet > TIMED_MS;
      if (due && !isInUse(area.current)) apply();
    }, 500);
    return () => clearInterval(look);
  }, [apply, filter, sort]);
  return { ...arranged, version, waiting: kept.current.waiting.size, apply };
}

function noteChanges(model, touched, { codes, waiting }) {
  if (codes.length === 0) return; // nothing is shown yet
  for (const position of touched) {
    if (model.codes[position] === codes[position]) waiting.delete(position);
    else waiting.add(position);
  }
}

function isInUse(area) {
  return Boolean(area?.matches(":hover") || area?.contains(document.activeElement));
}
