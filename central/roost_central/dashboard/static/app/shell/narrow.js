/** Whether a box is too narrow for columns, and whether the window is a telephone's. */
import { useEffect, useMemo, useRef, useState } from "../html.js";

export const TELEPHONE = "(max-width: 760px)"; // as css/shell.css says

/**
 * @param {number} bound in CSS pixels
 * @param {any} [view] looks for the box again when it changes
 * @returns {[{current: HTMLElement|null}, boolean]}
 */
export function useNarrow(bound, view) {
  const box = useRef(null);
  const [narrow, setNarrow] = useState(false);
  useEffect(() => {
    if (!box.current) return undefined;
    const observer = new ResizeObserver(([entry]) => setNarrow(entry.contentRect.width < bound));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [view, box.current]);
  return useMemo(() => [box, narrow], [narrow]);
}

/** @param {string} query @returns {boolean} whether it holds, now and after each change */
export function useMedia(query) {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const read = () => setHolds(media.matches);
    read();
    media.addEventListener("change", read);
    return () => media.removeEventListener("change", read);
  }, [query]);
  return holds;
}
