/**
 * The rows of an alarm list, kept current without moving under the operator.
 *
 * The server filters and sorts; after each word of a change the first page is read again, at most
 * twice a second. Values change in place at once. Another order or other rows wait, counted, while
 * the list is pointed at, focused or scrolled, until "n" or until nobody uses it.
 *
 * Invariants: one request at a time; at most ROWS_MAX rows; a row that no longer belongs stays,
 * greyed, until the next order.
 */
import { useCallback, useEffect, useReducer, useRef } from "../html.js";
import { queryString, request } from "../api.js";
import { connection } from "../live/client.js";
import { onAlarms } from "./counts.js";

const PAGE = 200;
const ROWS_MAX = 5_000; // beyond it a filter or the export serves better
const READ_MS_MIN = 500; // as often as the stream speaks
const LOOK_MS = 500; // how often is looked whether the list is still in use
const FIELDS = "id,key_id,type,name,entity,site,node,seq,severity,state,op_state,flapping,count,late,"
  + "text,raised,changed,age_s,clock,as_of,as_of_age_s,ack,shelf,assignee,masked_by,suppressed_by,"
  + "incident,explained,impacted";

export class AlarmRows {
  /** @param {() => void} redraw @param {() => boolean} isInUse */
  constructor(redraw, isInUse, ask = request) {
    Object.assign(this, { redraw, isInUse, ask });
    this.open(null);
  }

  /** @param {Record<string, string>|null} view filter, sort and hidden; null asks nothing */
  open(view) {
    this.stop?.abort();
    this.stop = new AbortController();
    this.view = view;
    this.items = this.items ?? [];
    this.left = new Set();
    this.next = null;
    this.count = null;
    this.pending = null;
    this.waiting = 0;
    this.error = null;
    this.loaded = false;
    this.reading = false;
    this.isDue = false;
    this.isAsked = false; // "n" was pressed before the answer came
    this.wantsMore = false;
    this.seq = null;
    if (view) this.read({ take: true });
  }

  close() {
    this.stop.abort();
    clearTimeout(this.timer);
  }

  /** @param {import("./counts.js").Word} word */
  hear(word) {
    const newer = new Map(word.changed.map((alarm) => [alarm.id, alarm]));
    this.items = this.items.map((alarm) => newer.get(alarm.id) ?? alarm);
    const known = new Set(this.items.map((alarm) => alarm.id));
    for (const id of word.gone) if (known.has(id)) this.left.add(id);
    this.waiting = Math.max(this.waiting, this.left.size);
    if (newer.size || word.gone.length) this.redraw();
    if (word.seq === this.seq && !word.more) return;
    this.seq = word.seq;
    this.isDue = true;
    this.readWhenAllowed();
  }

  readWhenAllowed() {
    if (!this.isDue || this.reading || !this.view) return;
    if (connection.get().condition === "paused") return; // the stream speaks first when it goes on
    clearTimeout(this.timer);
    const wait = Math.max(0, (this.readMs ?? -Infinity) + READ_MS_MIN - performance.now());
    this.timer = setTimeout(() => {
      if (connection.get().condition !== "paused") this.read({ take: false });
    }, wait);
  }

  async read({ take }) {
    if (!this.view) return;
    const { signal } = this.stop;
    this.isDue = false;
    this.reading = true;
    this.readMs = performance.now();
    try {
      const answer = await this.ask(`/alarms${queryString({
        ...this.view, fields: FIELDS, limit: PAGE, count: "exact",
      })}`, { signal });
      this.error = null;
      if (take || this.isAsked || !this.loaded || !this.isInUse()) this.show(answer);
      else this.hold(answer);
    } catch (error) {
      if (signal.aborted) return;
      this.error = error;
    }
    this.finish();
  }

  finish() {
    this.reading = false;
    this.redraw();
    if (this.wantsMore) this.more();
    this.readWhenAllowed();
  }

  /** Take an answer as the new order. */
  show(answer) {
    this.items = answer.items;
    this.next = answer.next;
    this.count = answer.count ?? answer.items.length;
    this.left = new Set();
    this.pending = null;
    this.waiting = 0;
    this.loaded = true;
    this.isAsked = false;
  }

  /** Keep the order; show new values in place and count what waits. */
  hold(answer) {
    const newer = new Map(answer.items.map((alarm) => [alarm.id, alarm]));
    const known = new Set(this.items.map((alarm) => alarm.id));
    this.items = this.items.map((alarm) => newer.get(alarm.id) ?? alarm);
    const isWhole = answer.next === null; // then who is not in it has left
    for (const { id } of this.items) {
      if (newer.has(id)) this.left.delete(id);
      else if (isWhole) this.left.add(id);
    }
    const added = answer.items.filter((alarm) => !known.has(alarm.id)).length;
    this.waiting = added + this.left.size;
    this.pending = this.waiting ? answer : null;
    this.count = answer.count ?? this.count;
  }

  /** Show the order that waits. */
  apply() {
    if (this.pending) this.show(this.pending);
    else this.isAsked = true;
    this.isDue = true;
    this.readWhenAllowed();
    this.redraw();
  }

  applyWhenUnused() {
    if (this.pending && !this.isInUse()) this.apply();
  }

  /** Read the page after the last row. */
  async more() {
    this.wantsMore = this.reading;
    if (!this.next || this.reading || this.items.length >= ROWS_MAX) return;
    const { signal } = this.stop;
    this.reading = true;
    try {
      const answer = await this.ask(`/alarms${queryString({
        ...this.view, fields: FIELDS, limit: PAGE, cursor: this.next,
      })}`, { signal });
      const known = new Set(this.items.map((alarm) => alarm.id));
      this.items = [...this.items, ...answer.items.filter((alarm) => !known.has(alarm.id))];
      this.next = answer.next;
    } catch (error) {
      if (signal.aborted) return;
      this.error = error;
    }
    this.finish();
  }
}

/**
 * @param {Record<string, string>} view
 * @param {{current: HTMLElement|null}} area where rows must not move under the cursor
 * @returns {AlarmRows}
 */
export function useAlarmRows(view, area) {
  const [, redraw] = useReducer((n) => n + 1, 0);
  const kept = useRef(null);
  const isInUse = useCallback(() => Boolean(area.current?.matches(":hover")
    || area.current?.contains(document.activeElement)
    || area.current?.querySelector(".rows")?.scrollTop > 0), [area]);
  kept.current ??= new AlarmRows(redraw, isInUse);
  const rows = kept.current;
  useEffect(() => { rows.open(view); redraw(); }, [JSON.stringify(view)]);
  useEffect(() => onAlarms((word) => rows.hear(word)), []);
  useEffect(() => {
    const look = setInterval(() => rows.applyWhenUnused(), LOOK_MS);
    return () => {
      clearInterval(look);
      rows.close();
    };
  }, []);
  return rows;
}
