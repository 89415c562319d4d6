/** Whether a box is too narrow for columns: the box decides, not the window. */
import { useEffect, useMemo, useRef, useState } from "../html.js";

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
