/**
 * Which sites are shown, in which groups and order: pure functions over the model.
 *
 * Groups stand in natural order of their names and sites by name within, so that a cell keeps its
 * place while the fleet changes; only the table follows the chosen sort.
 */
import { STATUS_NAMES } from "../status.js";

const GROUPS_MAX = 80; // headings are elements; the rest of a wide label becomes one group
const UNLABELLED = "–";

/**
 * `label` is the value that all members share; null where they share none.
 * @typedef {{name: string, positions: number[], label: string|null}} Group
 * @typedef {{groups: Group[], rows: number[]}} Arrangement
 */

/**
 * @param {import("./model.js").FleetModel} model
 * @param {{matches: (position: number) => boolean, group: string, sort: string}} view
 * @returns {Arrangement}
 */
export function arrange(model, { matches, group, sort }) {
  const rank = siteRank(model);
  const shown = [];
  for (const position of rank.order) if (matches(position)) shown.push(position);
  return {
    groups: grouped(model, shown, group),
    rows: sorted(model, shown, { sort, rank: rank.of }),
  };
}

/** @returns {number[]} sites by status, as they are now */
export function countStates(model, positions) {
  const counts = STATUS_NAMES.map(() => 0);
  for (const position of positions) counts[model.codes[position]] += 1;
  return counts;
}

/** @type {{model: object|null, generation: number, order: Uint32Array, of: Uint32Array}} */
let ranked = { model: null, generation: -1, order: new Uint32Array(0), of: new Uint32Array(0) };

/** Order of the sites by name, made once for each snapshot. */
function siteRank(model) {
  if (ranked.model === model && ranked.generation === model.generation) return ranked;
  const names = model.column("site");
  const order = Uint32Array.from(names.keys());
  order.sort((a, b) => (names[a] < names[b] ? -1 : Number(names[a] > names[b])));
  const of = new Uint32Array(order.length);
  order.forEach((position, index) => { of[position] = index; });
  ranked = { model, generation: model.generation, order, of };
  return ranked;
}

/** @returns {Group[]} */
function grouped(model, positions, key) {
  const values = key === "none" ? null : model.column(key === "status" ? key : `label.${key}`);
  /** @type {Map<string|null, number[]>} */
  const members = new Map();
  for (const position of positions) {
    const value = values === null ? "all sites" : values[position] ?? null;
    const list = members.get(value);
    if (list) list.push(position);
    else members.set(value, [position]);
  }
  const natural = new Intl.Collator("en", { numeric: true });
  const names = [...members.keys()].sort((a, b) => {
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return natural.compare(a, b);
  });
  const groups = names.slice(0, GROUPS_MAX).map((name) => (
    { name: name ?? UNLABELLED, label: values && name, positions: members.get(name) }));
  const others = names.slice(GROUPS_MAX).flatMap((name) => members.get(name));
  if (others.length) {
    const count = names.length - GROUPS_MAX;
    groups.push({ name: `${count} other groups`, label: null, positions: others });
  }
  return groups;
}

/**
 * @param {import("./model.js").FleetModel} model
 * @param {number[]} positions in order of name
 * @param {{sort: string, rank: Uint32Array}} by `sort` is a column, with "-" for the other way
 */
function sorted(model, positions, { sort, rank }) {
  const descending = sort.startsWith("-");
  const column = sort.replace(/^-/, "");
  if (column === "site") return descending ? positions.toReversed() : positions;
  const keys = sortKeys(model, column);
  const sign = descending ? -1 : 1;
  return positions.toSorted((a, b) => sign * (keys[a] - keys[b]) || rank[a] - rank[b]);
}

/** @returns {ArrayLike<number>} one number for each position, ascending */
function sortKeys(model, column) {
  if (column === "status") return model.codes;
  if (column === "heard") return model.column("heard_ms").map((at) => -(at ?? 0)); // by age
  if (column === "nodes") {
    const [degraded, unreachable, unknown] = ["degraded", "unreachable", "unknown"]
      .map((field) => model.column(field));
    return unreachable.map((count, p) => count * 1e6 + unknown[p] * 1e3 + degraded[p]);
  }
  return ordinals(model.column(`label.${column}`), model.size);
}

/** Labels have few values, so each is compared once. An absent one comes last. */
function ordinals(values, size) {
  const distinct = [...new Set(values)].filter((value) => value !== null);
  distinct.sort(new Intl.Collator("en", { numeric: true }).compare);
  const ordinal = new Map(distinct.map((value, index) => [value, index]));
  return Uint32Array.from({ length: size }, (_, p) => ordinal.get(values[p]) ?? distinct.length);
}
