/**
 * The worst alarm of each site, so that the table says why a site is not well.
 *
 * Asked for while a table shows it, again after alarms changed, and at most once in ASK_MS_MIN: a
 * storm must not make the page read all the time.
 */
import { queryString, request } from "../api.js";
import { alarmCounts } from "../alarms/counts.js";
import { useEffect } from "../html.js";
import { createStore, useStore } from "../store.js";

const ASK_MS_MIN = 3_000;
const ALARMS_MAX = 500; // the worst and newest; a site of which none is among them is in a storm anyway
const PATH = `/alarms${queryString({ fields: "site,node,severity,text", limit: ALARMS_MAX })}`;

/** @typedef {{severity: string, text: string, count: number}} Worst */

/** By site; null until it was read. */
const worst = createStore(/** @type {Map<string, Worst>|null} */ (null));

/** @param {{site: string|null, severity: string, text: string}[]} alarms the worst first @returns {Map<string, Worst>} */
export function bySite(alarms) {
  const found = new Map();
  for (const { site, severity, text } of alarms) {
    const known = site && found.get(site);
    if (known) known.count += 1;
    else if (site) found.set(site, { severity, text, count: 1 });
  }
  return found;
}

/** @returns {Map<string, Worst>|null} kept current while the component is there */
export function useWorst() {
  useEffect(() => {
    let [timer, askedMs, isGone] = [0, -Infinity, false];
    const ask = () => {
      timer = 0;
      askedMs = performance.now();
      request(PATH).then(({ items }) => !isGone && worst.set(bySite(items)), () => {}); // the next change asks again
    };
    const soon = () => {
      timer ||= window.setTimeout(ask, Math.max(0, askedMs + ASK_MS_MIN - performance.now()));
    };
    soon();
    const stop = alarmCounts.subscribe(soon);
    return () => {
      isGone = true;
      clearTimeout(timer);
      stop();
    };
  }, []);
  return useStore(worst);
}
