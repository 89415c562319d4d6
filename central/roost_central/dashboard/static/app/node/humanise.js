/**
 * Inventory values for people: the unit stands in a field's name, and the raw value stays at hand.
 */
import { timeText } from "../time.js";

/** @type {[string, (n: number) => string][]} */
const SUFFIXES = [
  ["_bytes", bytes], ["_khz", (n) => scaled(n * 1e3, "Hz")], ["_hz", (n) => scaled(n, "Hz")],
  ["_mts", (n) => `${grouped(n)} MT/s`], ["_mbps", (n) => scaled(n * 1e6, "bit/s")],
  ["_mv", (n) => scaled(n / 1e3, "V")], ["_ma", (n) => scaled(n / 1e3, "A")],
  ["_uw", (n) => scaled(n / 1e6, "W")], ["_mw", (n) => scaled(n / 1e3, "W")],
  ["_uwh", (n) => scaled(n / 1e6, "Wh")], ["_mc", (n) => `${n / 1000} °C`],
  ["_rpm", (n) => `${grouped(n)} rpm`], ["_pct", (n) => `${n} %`], ["_ms", (n) => `${grouped(n)} ms`],
  ["_nm", (n) => `${grouped(n)} nm`], ["_s", duration], ["_m", (n) => scaled(n, "m")],
];
/** @type {[string, number][]} */
const PREFIXES = [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3], ["", 1], ["m", 1e-3], ["µ", 1e-6]];
const MOMENTS = new Set(["btime_s"]); // seconds since 1970: a moment, and no length of time
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** @param {string} field @returns {string} a heading: without the unit, which the value carries */
export function fieldTitle(field) {
  const suffix = suffixOf(field)?.[0] ?? "";
  return field.slice(0, field.length - suffix.length).replaceAll("_", " ");
}

/** @param {string} field @param {any} value not null @returns {string} */
export function valueText(field, value) {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value !== "number") return String(value);
  if (MOMENTS.has(field)) return timeText(new Date(value * 1000).toISOString());
  const suffix = suffixOf(field);
  return suffix ? suffix[1](value) : String(value);
}

function suffixOf(field) {
  return SUFFIXES.find(([suffix]) => field.endsWith(suffix) && field.length > suffix.length);
}

/** @param {number} n @returns {string} the usual way for memory and disks of a machine */
export function bytes(n) {
  let size = n;
  let unit = 0;
  for (; Math.abs(size) >= 1024 && unit < BINARY.length - 1; unit += 1) size /= 1024;
  return `${significant(size)} ${BINARY[unit]}`;
}

function scaled(n, unit) {
  /** @type {[string, number]} */
  const [prefix, factor] = PREFIXES.find(([, size]) => Math.abs(n) >= size) ?? ["", 1];
  return `${significant(n / factor)} ${prefix}${unit}`;
}

/** @param {number} s @returns {string} */
export function duration(s) {
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

const significant = (n) => String(Number(n.toPrecision(n >= 1000 ? 4 : 3)));
const grouped = (n) => n.toLocaleString("en");

/** @param {number|null|undefined} us @returns {string} a round trip */
export function roundTrip(us) {
  if (us === null || us === undefined) return "–";
  return us < 1000 ? `${us} µs` : `${significant(us / 1000)} ms`;
}

/** @param {number|null|undefined} permille @returns {string} */
export function loss(permille) {
  return permille === null || permille === undefined ? "–" : `${significant(permille / 10)} %`;
}
