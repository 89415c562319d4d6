/**
 * Compiles a query tree to one closure over rows.
 *
 * Twin of fleet/query_match.py. A resolver is asked once per field, at compile time, how it is read
 * from a row. A list holds when one of its values does, for `!=` when none equals; an empty list,
 * null and a value of another type are unknown. A comparison with an unknown value is false, except
 * `=null`.
 */

import { TEXT_FIELDS } from "./query-fields.js";
import { compileGlob } from "./query-glob.js";
import { compileItems } from "./query-items.js";
import {
  KINDS,
  compareVersions,
  durationMs,
  sizeBytes,
  timeMs,
  versionKey,
} from "./query-values.js";

/** @typedef {import("./query-fields.js").Field} Field */
/** @typedef {import("./query-parser.js").Node} Node */
/** @typedef {import("./query-parser.js").Comparison} Comparison */
/** @typedef {(row: any) => unknown} Getter */
/**
 * Returns how a field is read from a row, or null when such rows never have it. `key` is K of
 * `label.K` and `path.K` and null elsewhere; for `*` the answer is the list of all values. A
 * shortcut such as `region` arrives as `("label", "region")`.
 * @typedef {(name: string, key: string | null) => Getter | null} Resolver
 */
/** @typedef {(row: any, now: number) => boolean} Predicate */
/** @typedef {(value: any, now: number) => boolean} Test */

const ANY_KEY = "*";

/** @type {Record<string, (left: any, right: any) => boolean>} */
export const ORDERS = {
  "=": (left, right) => left === right,
  "!=": (left, right) => left !== right,
  "<": (left, right) => left < right,
  "<=": (left, right) => left <= right,
  ">": (left, right) => left > right,
  ">=": (left, right) => left >= right,
};

/**
 * Reads rows that are plain objects: `row.site`, `row.label.region`, `row.path.p1`.
 * @type {Resolver}
 */
export function ofRow(name, key) {
  if (key === null) return (row) => row[name];
  if (key === ANY_KEY) {
    return (row) => {
      const values = Object.values(row[name] ?? {});
      return values.some(Array.isArray) ? values.flat() : values; // flat() alone is slow
    };
  }
  return (row) => row[name]?.[key];
}

/**
 * Returns the test of a row at a time (ms since 1970).
 * @param {Node} node
 * @param {Map<string, Field>} fields
 * @param {Resolver} resolver
 * @returns {Predicate}
 */
export function compileNode(node, fields, resolver) {
  /** @param {Node} part */
  const compiled = (part) => compileNode(part, fields, resolver);
  if ("and" in node) {
    const tests = node.and.map(compiled);
    return (row, now) => tests.every((test) => test(row, now));
  }
  if ("or" in node) {
    const tests = node.or.map(compiled);
    return (row, now) => tests.some((test) => test(row, now));
  }
  if ("not" in node) {
    const test = compiled(node.not);
    return (row, now) => !test(row, now);
  }
  if ("text" in node) return text(node.text, resolver);
  if ("field" in node) {
    return comparison(node, /** @type {Field} */ (fields.get(node.field)), resolver);
  }
  return compileItems(node, fields, resolver);
}

/**
 * Returns the test whether a text field or a label value contains the glob.
 * @param {string} asked
 * @param {Resolver} resolver
 * @returns {Predicate}
 */
function text(asked, resolver) {
  const glob = compileGlob(`*${asked}*`);
  const getters = [...TEXT_FIELDS.map((name) => resolver(name, null)), resolver("label", ANY_KEY)];
  const known = getters.filter((getter) => getter !== null);
  /** @param {unknown} value */
  const fits = (value) => typeof value === "string" && glob(value);
  return (row) =>
    known.some((getter) => {
      const value = getter(row);
      return Array.isArray(value) ? value.some(fits) : fits(value);
    });
}

/**
 * Returns the test of one field.
 * @param {Comparison} node
 * @param {Field} field
 * @param {Resolver} resolver
 * @returns {Predicate}
 */
function comparison(node, field, resolver) {
  const getter = field.isLabel
    ? resolver("label", field.name)
    : resolver(node.field, node.key ?? null);
  const ifUnknown = node.op === "=" && node.values.includes(null);
  if (getter === null) return () => ifUnknown;
  const ofValue = valueTest(node, field);
  /** @type {Test} */
  const test = field.isSince ? (value, now) => ofValue(now - value, now) : ofValue;
  const type = KINDS[field.kind].type;
  return (row, now) => {
    const value = getter(row);
    if (typeof value === type) return test(value, now);
    if (!Array.isArray(value)) return ifUnknown;
    const known = value.filter((one) => typeof one === type);
    if (known.length === 0) return ifUnknown;
    if (node.op === "!=") return known.every((one) => test(one, now));
    return known.some((one) => test(one, now));
  };
}

/**
 * Returns the test of a known value.
 * @param {Comparison} node
 * @param {Field} field
 * @returns {Test}
 */
function valueTest(node, field) {
  const asked = node.values.filter((value) => value !== null);
  if (node.op === ":") {
    if (!KINDS[field.kind].takesGlobs) return () => true; // only `*` is left: any known value
    const globs = asked.map(compileGlob);
    return (value) => globs.some((glob) => glob(value));
  }
  if (node.op !== "=" && node.op !== "!=") return orderTest(ORDERS[node.op], field, asked[0]);
  const isWanted = node.op === "=";
  if (field.kind === "time") {
    const moments = asked.map(moment);
    return (value, now) => moments.some((at) => value === at(now)) === isWanted;
  }
  const operands = new Set(asked.map((value) => operand(field, value)));
  return (value) => operands.has(value) === isWanted;
}

/**
 * Returns the test for an ordered operator.
 * @param {(left: any, right: any) => boolean} order
 * @param {Field} field
 * @param {string} asked
 * @returns {Test}
 */
function orderTest(order, field, asked) {
  if (field.kind === "time") {
    const at = moment(asked);
    return (value, now) => order(value, at(now));
  }
  if (field.kind === "version") {
    const version = versionKey(asked);
    return (value) => order(compareVersions(versionKey(value), version), 0);
  }
  if (field.choices.length > 0) {
    const rank = field.choices.indexOf(asked);
    const fitting = new Set(field.choices.filter((_, other) => order(other, rank)));
    return (value) => fitting.has(value);
  }
  const number = operand(field, asked);
  return (value) => order(value, number);
}

/**
 * Returns what a canonical value is compared as.
 * @param {Field} field
 * @param {string} asked
 */
function operand(field, asked) {
  switch (field.kind) {
    case "number":
      return Number(asked);
    case "duration":
      return durationMs(asked);
    case "size":
      return sizeBytes(asked);
    case "bool":
      return asked === "true";
    default:
      return asked;
  }
}

/**
 * Returns the moment a time stands for, given now; `-24h` moves with it.
 * @param {string} asked
 * @returns {(now: number) => number | null}
 */
function moment(asked) {
  if (asked.startsWith("-")) {
    const ago = durationMs(asked.slice(1)) ?? 0;
    return (now) => now - ago;
  }
  const ms = timeMs(asked);
  return () => ms;
}
