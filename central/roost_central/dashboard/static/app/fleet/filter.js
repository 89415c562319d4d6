/**
 * A query asked of the fleet's rows: in this tab where the columns suffice, else by the server.
 */
import { canonical, compile, parse, requireAvailable } from "../query.js";
import { ApiError } from "../api.js";

const LOCAL = new Set(["site", "label", "status", "age", "nodes"]);
const ANSWER_LINES_MAX = 100_000;

/**
 * @typedef {{
 *   matches: (position: number, nowMs: number) => boolean,
 *   usesTime: boolean,
 *   onServer: boolean,
 * }} Filter
 */

/** @type {Filter} */
export const EVERYTHING = { matches: () => true, usesTime: false, onServer: false };

/**
 * @param {string} text
 * @param {import("./model.js").FleetModel} model
 * @param {AbortSignal} signal
 * @returns {Promise<Filter>}
 * @throws {import("../query.js").QueryError|ApiError}
 */
export async function makeFilter(text, model, signal) {
  const query = parse(text);
  requireAvailable(query, "site");
  const names = query.uses.map((use) => use.field.name);
  const usesTime = names.includes("age");
  const isLocal = query.uses.every((use) => use.field.isLabel || LOCAL.has(use.field.name));
  if (isLocal) {
    return { matches: compile(query, (name, key) => reader(model, name, key)), usesTime, onServer: false };
  }
  const sites = await askServer(canonical(query), signal);
  return {
    matches: (position) => sites.has(model.value(position, "site")), usesTime: true, onServer: true,
  };
}

/** How a field is read from a position; null where the columns do not have it. */
function reader(model, name, key) {
  if (name === "label") return labelReader(model, key);
  if (name === "nodes") {
    return (position) => ["online", "degraded", "unreachable", "unknown"]
      .reduce((sum, field) => sum + (model.value(position, field) ?? 0), 0);
  }
  const field = { site: "site", status: "status", age: "heard_ms" }[name];
  if (!field) return null;
  const index = model.fields.indexOf(field);
  return (position) => model.cols[index][position];
}

function labelReader(model, key) {
  const wanted = key === "*" ? model.labelKeys() : [key];
  const indexes = wanted.map((label) => model.fields.indexOf(`label.${label}`)).filter((i) => i >= 0);
  if (key !== "*") return indexes.length ? (position) => model.cols[indexes[0]][position] : null;
  return (position) => indexes.map((index) => model.cols[index][position]);
}

/** @returns {Promise<Set<string>>} names of all sites that match */
async function askServer(filter, signal) {
  const response = await fetch(`/api/v1/sites?${new URLSearchParams({ filter, fields: "site" })}`, {
    headers: { Accept: "application/x-ndjson" }, signal,
  });
  if (!response.ok) throw new ApiError(response.status, await response.json().catch(() => ({})));
  const lines = (await response.text()).split("\n", ANSWER_LINES_MAX).filter(Boolean);
  return new Set(lines.map((line) => JSON.parse(line).site));
}
