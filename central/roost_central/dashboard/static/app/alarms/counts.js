/** Alarm counts of the whole fleet and word of what changed: from the stream, never asked for. */
import { createStore } from "../store.js";

/**
 * @typedef {{critical: number, major: number, minor: number, warning: number, unknown: number,
 *   shelved: number, masked: number, suppressed: number, in_incident: number, incidents: number,
 *   flood: boolean, sites: Record<string, number>, status: string, seq: number}} Counts
 * @typedef {{seq: number, counts: Counts, changed: any[], gone: string[], more: boolean}} Word
 */

/** Null until the stream has told them. */
export const alarmCounts = createStore(/** @type {Counts|null} */ (null));

/** @type {Set<(word: Word) => void>} */
const hearers = new Set();

/** Hear of each change of alarms. @param {(word: Word) => void} hearer @returns {() => void} */
export function onAlarms(hearer) {
  hearers.add(hearer);
  return () => hearers.delete(hearer);
}

/** @param {Word} word of the stream, a few in a second at most */
export function tellAlarms(word) {
  alarmCounts.set({ ...word.counts, seq: word.seq });
  for (const hearer of [...hearers]) hearer(word);
}
