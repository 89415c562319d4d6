/** Which rows of a long list are in view: the whole virtualiser. Rows have one height. */
import { useCallback, useLayoutEffect, useState } from "./html.js";

const OVERSCAN = 6; // rows drawn beyond each edge, so that a wheel step shows no gap

/**
 * @param {{current: HTMLElement|null}} scroller
 * @param {number} count
 * @param {number} rowHeight in CSS pixels
 * @returns {{from: number, to: number, height: number, reveal: (index: number) => void}}
 */
export function useVirtualRows(scroller, count, rowHeight) {
  const [view, setView] = useState({ top: 0, height: 0 });
  useLayoutEffect(() => {
    const element = scroller.current;
    const read = () => setView((old) => {
      const { scrollTop: top, clientHeight: height } = element;
      return old.top === top && old.height === height ? old : { top, height };
    });
    const observer = new ResizeObserver(read);
    observer.observe(element);
    element.addEventListener("scroll", read, { passive: true });
    read();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", read);
    };
  }, []);
  const first = Math.min(Math.floor(view.top / rowHeight), Math.max(0, count - 1));
  const from = Math.max(0, first - OVERSCAN);
  const to = Math.min(count, first + Math.ceil(view.height / rowHeight) + OVERSCAN);
  const reveal = useCallback((index) => {
    const element = scroller.current;
    const head = element.querySelector("[data-sticky]")?.clientHeight ?? 0;
    const top = index * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight + head > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + rowHeight + head - element.clientHeight;
    }
  }, [rowHeight]);
  return { from, to, height: count * rowHeight, reveal };
}
