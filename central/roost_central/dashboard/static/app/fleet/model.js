/**
 * The fleet in this tab: the columns of one snapshot, and the frames applied to them.
 *
 * Leaves order and filters to arrange.js. Invariants: `codes` and `counts` always agree with the
 * status column; a position is a row of the columns and is valid until the next `load`.
 */
import { STATUS_NAMES, UNKNOWN } from "../status.js";

/**
 * @typedef {{epoch: string, frame: number, now: number, fields: string[], cols: any[][]}} Snapshot
 * @typedef {{epoch: string, n: number, t: number, f: [number, number, any][]}} Frame
 */

export class FleetModel {
  constructor() {
    /** @type {string[]} */
    this.fields = [];
    /** @type {any[][]} */
    this.cols = [];
    this.size = 0;
    this.loaded = false;
    this.generation = 0; // +1 with each snapshot
    this.version = 0; // +1 with each change
    this.codes = new Uint8Array(0);
    this.counts = STATUS_NAMES.map(() => 0);
    /** @type {{epoch: string, n: number}|null} */
    this.at = null;
    this.byRow = new Map();
    this.bySite = new Map();
    /** @type {Set<(touched: number[]|null) => void>} */
    this.readers = new Set();
  }

  /** @returns {{epoch: string, n: number}|null} of what has been applied */
  position() {
    return this.at;
  }

  /** @param {Snapshot} snapshot */
  load(snapshot) {
    this.fields = snapshot.fields;
    this.cols = snapshot.cols;
    const rows = this.column("row");
    this.size = rows.length;
    this.byRow = new Map(rows.map((row, position) => [row, position]));
    this.bySite = new Map(this.column("site").map((site, position) => [site, position]));
    this.codes = Uint8Array.from(this.column("status"), statusCode);
    this.counts = STATUS_NAMES.map(() => 0);
    for (const code of this.codes) this.counts[code] += 1;
    this.at = { epoch: snapshot.epoch, n: snapshot.frame };
    this.loaded = true;
    this.generation += 1;
    this.tell(null);
  }

  /** @param {Frame} frame @returns {void} */
  apply(frame) {
    if (frame.epoch !== this.at?.epoch || frame.n <= this.at.n) return;
    this.at = { epoch: frame.epoch, n: frame.n };
    const status = this.fields.indexOf("status");
    const touched = [];
    for (const [row, field, value] of frame.f) {
      const position = this.byRow.get(row);
      if (position === undefined || !this.cols[field]) continue;
      this.cols[field][position] = value;
      if (field === status) this.recode(position, statusCode(value));
      touched.push(position);
    }
    if (touched.length) this.tell(touched);
  }

  recode(position, code) {
    this.counts[this.codes[position]] -= 1;
    this.counts[code] += 1;
    this.codes[position] = code;
  }

  /** @param {string} field @returns {any[]} all values, empty where the snapshot lacks the field */
  column(field) {
    return this.cols[this.fields.indexOf(field)] ?? [];
  }

  /** @returns {any} null where it is not known */
  value(position, field) {
    return this.cols[this.fields.indexOf(field)]?.[position] ?? null;
  }

  /** @returns {string[]} keys of all labels in use, in the snapshot's order */
  labelKeys() {
    return this.fields.filter((field) => field.startsWith("label.")).map((field) => field.slice(6));
  }

  /** @param {(touched: number[]|null) => void} reader told the positions; null after a snapshot */
  subscribe(reader) {
    this.readers.add(reader);
    return () => this.readers.delete(reader);
  }

  tell(touched) {
    this.version += 1;
    for (const reader of [...this.readers]) reader(touched);
  }
}

/** A status this page does not know is shown as unknown, never as fine. */
function statusCode(name) {
  const code = STATUS_NAMES.indexOf(name);
  return code < 0 ? UNKNOWN : code;
}

export const fleet = new FleetModel();
