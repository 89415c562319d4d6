/**
 * Values of the query language: how each kind is written, put into normal form and compared.
 *
 * Twin of fleet/query_values.py and fleet/query_kinds.py. Every `canonical*` returns the one way to
 * write a value, never longer than what it was given, or null when the text is not such a value.
 */

import { fold } from "./query-glob.js";

const TIME_MS_END = 253402300800000; // the year 10000, which RFC 3339 cannot write

const DURATION_MS = { d: 86400000, h: 3600000, m: 60000, s: 1000, ms: 1 };
const BINARY = ["", "KiB", "MiB", "GiB", "TiB", "PiB"];
const DECIMAL = ["B", "kB", "MB", "GB", "TB", "PB"];

const NUMBER = /^(-?)0*([0-9]{1,15})(?:\.([0-9]{1,6}))?$/;
const DURATION = /^([0-9]{1,15})(ms|s|m|h|d)$/;
const SIZE = /^([0-9]{1,15})(B|[KMGTP]iB|[kMGTP]B)?$/;
const TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):([0-5]\d)))?$/;
const EARLY = ["~", "dev", "alpha", "beta", "pre", "preview", "rc"]; // in this order

/** Returns a decimal number without needless zeros. @param {string} text */
function canonicalNumber(text) {
  const found = NUMBER.exec(text);
  if (found === null) return null;
  const fraction = (found[3] ?? "").replace(/0+$/, "");
  const whole = found[2].replace(/^0+/, "") || "0";
  const number = fraction === "" ? whole : `${whole}.${fraction}`;
  return number === "0" ? number : found[1] + number;
}

/** Returns a duration in its largest whole unit: `3600s` is `1h`. @param {string} text */
function canonicalDuration(text) {
  const ms = durationMs(text);
  if (ms === null) return null;
  if (ms === 0) return "0s";
  for (const [unit, size] of Object.entries(DURATION_MS)) {
    if (ms % size === 0) return `${ms / size}${unit}`;
  }
  return null;
}

/** Returns the milliseconds of a duration such as `90s 10m 8h 7d 250ms`. @param {string} text */
export function durationMs(text) {
  const found = DURATION.exec(text);
  if (found === null) return null;
  return safe(Number(found[1]) * DURATION_MS[/** @type {keyof typeof DURATION_MS} */ (found[2])]);
}

/** Returns a size in the largest whole unit of its family. @param {string} text */
function canonicalSize(text) {
  const size = sizeBytes(text);
  const found = SIZE.exec(text);
  if (size === null || found === null) return null;
  if (size === 0) return "0";
  const unit = found[2] ?? "";
  const isDecimal = DECIMAL.indexOf(unit) > 0;
  const family = isDecimal ? DECIMAL : BINARY;
  const step = isDecimal ? 1000 : 1024;
  let count = Number(found[1]);
  let place = unit === "B" ? 0 : family.indexOf(unit);
  while (count % step === 0 && place + 1 < family.length) {
    count /= step;
    place += 1;
  }
  return `${count}${family[place]}`;
}

/** Returns the bytes of a size such as `64GiB`, `500GB` or `4096`. @param {string} text */
export function sizeBytes(text) {
  const found = SIZE.exec(text);
  if (found === null) return null;
  const unit = found[2] ?? "";
  const factor = BINARY.includes(unit)
    ? 1024 ** BINARY.indexOf(unit)
    : 1000 ** DECIMAL.indexOf(unit);
  return safe(Number(found[1]) * factor);
}

/** Returns a moment as RFC 3339 in UTC (midnight as its date), or `-24h`. @param {string} text */
function canonicalTime(text) {
  if (text.startsWith("-")) {
    const ago = canonicalDuration(text.slice(1));
    return ago === null ? null : `-${ago}`;
  }
  const ms = timeMs(text);
  if (ms === null) return null;
  const [date, clock, fraction] = new Date(ms).toISOString().split(/[T.]/);
  const digits = fraction.slice(0, 3).replace(/0+$/, "");
  if (clock === "00:00:00" && digits === "") return date;
  return digits === "" ? `${date}T${clock}Z` : `${date}T${clock}.${digits}Z`;
}

/** Returns the milliseconds since 1970 of an RFC 3339 time or a date. @param {string} text */
export function timeMs(text) {
  const found = TIME.exec(text);
  if (found === null) return null;
  const [year, month, day, hour, minute, second] = found
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const fraction = Number((found[7] ?? "").padEnd(3, "0").slice(0, 3));
  const local = Date.UTC(year, month - 1, day, hour, minute, second, fraction);
  const isReal =
    new Date(local).toISOString().startsWith(text.slice(0, 10)) &&
    Math.max(Number(found[9] ?? 0), hour) < 24 &&
    Math.max(minute, second) < 60;
  if (!isReal) return null;
  const minutes = Number(found[9] ?? 0) * 60 + Number(found[10] ?? 0);
  const ms = local + (found[8] === "-" ? minutes : -minutes) * 60000;
  return ms >= 0 && ms < TIME_MS_END ? ms : null;
}

/**
 * Returns what a version is ordered by: its runs of digits as numbers, letters as words, everything
 * else only separating. `1.0-rc1` < `1.0` < `1.0a` < `1.0.1`.
 * @param {string} text
 * @returns {[number, number, string][]}
 */
export function versionKey(text) {
  const runs = fold(text).match(/[0-9]+|[a-z]+|~/g) ?? [];
  return [...runs.map(runKey), [1, 0, ""]];
}

/** @param {string} run @returns {[number, number, string]} */
function runKey(run) {
  if (/^[0-9]/.test(run)) {
    const digits = run.replace(/^0+/, "");
    return [3, digits.length, digits];
  }
  const early = EARLY.indexOf(run);
  return early < 0 ? [2, 0, run] : [0, early, ""];
}

/**
 * Returns a negative number, 0 or a positive number, as the first key is before, with or after.
 * @param {[number, number, string][]} left
 * @param {[number, number, string][]} right
 */
export function compareVersions(left, right) {
  for (let place = 0; place < Math.min(left.length, right.length); place += 1) {
    for (let part = 0; part < 3; part += 1) {
      if (left[place][part] < right[place][part]) return -1;
      if (left[place][part] > right[place][part]) return 1;
    }
  }
  return left.length - right.length;
}

/** @param {number} number */
function safe(number) {
  return number <= Number.MAX_SAFE_INTEGER ? number : null;
}

/** @param {string} text @returns {string | null} */
const asWritten = (text) => text;

/**
 * @param {string} hint What stands in "takes ..." of an error.
 * @param {"string" | "number" | "boolean"} type What an object answers with.
 * @param {(text: string) => string | null} canonical
 * @param {{isOrdered?: boolean, takesGlobs?: boolean}} abilities
 */
function kind(hint, type, canonical, { isOrdered = false, takesGlobs = false }) {
  return { hint, type, canonical, isOrdered, takesGlobs };
}

const ORDERED = { isOrdered: true };
const GLOBBED = { takesGlobs: true };
const BOTH = { isOrdered: true, takesGlobs: true };

/** What each kind of field can do. */
export const KINDS = {
  text: kind("text", "string", asWritten, GLOBBED),
  label: kind("text", "string", asWritten, GLOBBED),
  version: kind("a version", "string", asWritten, BOTH),
  enum: kind("a name", "string", asWritten, GLOBBED),
  path: kind("a path state", "string", asWritten, GLOBBED),
  severity: kind("a severity", "string", asWritten, BOTH),
  status: kind("a status", "string", asWritten, BOTH),
  number: kind("a number such as 12 or -0.5", "number", canonicalNumber, ORDERED),
  duration: kind("a duration such as 90s, 10m, 8h or 7d", "number", canonicalDuration, ORDERED),
  size: kind("a size such as 64GiB or 500GB", "number", canonicalSize, ORDERED),
  time: kind(
    "a time such as 2026-11-01, 2026-11-01T03:00:00Z or -24h",
    "number",
    canonicalTime,
    ORDERED,
  ),
  bool: kind(
    "true or false",
    "boolean",
    (text) => (text === "true" || text === "false" ? text : null),
    {},
  ),
};
