/**
 * The fleet's one query language in the browser: parse text, write it canonically, ask it of rows.
 *
 * Twin of fleet/query.py; tests/protocol/vectors/query.json holds both to the same answers. A query
 * that names a field outside this release throws; it never quietly matches nothing.
 *
 *     const query = parse("region:r0* status>=degraded");
 *     const test = compile(query);
 *     const shown = rows.filter((row) => test(row, Date.now()));
 */

import { FIELDS } from "./query-fields.js";
import { QueryError, isBareText, isBareValue, quote } from "./query-lexer.js";
import { compileNode, ofRow } from "./query-match.js";
import { parseQuery } from "./query-parser.js";

export { FIELDS, QueryError };

/** @typedef {import("./query-fields.js").Field} Field */
/** @typedef {import("./query-match.js").Predicate} Predicate */
/** @typedef {import("./query-match.js").Resolver} Resolver */
/** @typedef {import("./query-parser.js").Comparison} Comparison */
/** @typedef {import("./query-parser.js").Node} Node */
/** @typedef {import("./query-parser.js").Use} Use */
/** @typedef {{root: Node, uses: Use[], fields: Map<string, Field>}} Query */

/**
 * Parses query text; blank text is the query that holds for everything.
 *
 * Offsets and lengths of a QueryError count code points; to mark a part of an input, which counts
 * UTF-16 units, cut `[...text]`.
 * @param {string} text
 * @param {Map<string, Field>} fields
 * @returns {Query}
 * @throws {QueryError}
 */
export function parse(text, fields = FIELDS) {
  /** @param {number} units */
  const points = (units) => [...text.slice(0, units)].length;
  try {
    const { root, uses } = parseQuery(text, fields);
    const counted = uses.map((use) => ({
      field: use.field,
      start: points(use.start),
      end: points(use.end),
    }));
    return { root, uses: counted, fields };
  } catch (error) {
    if (error instanceof QueryError) {
      const end = points(error.offset + error.length);
      error.offset = points(error.offset);
      error.length = end - error.offset;
    }
    throw error;
  }
}

/**
 * Returns the one text of a query, never longer than the one it was parsed from.
 * @param {Query} query
 */
export function canonical(query) {
  return written(query.root);
}

/**
 * Returns the test of one kind of row, at a time in ms since 1970.
 * @param {Query} query
 * @param {Resolver} resolver How a field is read; plain objects by default.
 * @returns {Predicate}
 * @throws {QueryError} not-yet, as requireAvailable.
 */
export function compile(query, resolver = ofRow) {
  requireAvailable(query);
  return compileNode(query.root, query.fields, resolver);
}

/**
 * Whether a query holds for one row; for many rows compile it once.
 * @param {Query} query
 * @param {Record<string, unknown>} row
 * @param {number} now
 */
export function match(query, row, now) {
  return compile(query)(row, now);
}

/**
 * Refuses fields that come with a later release or that `on` objects do not carry.
 * @param {Query} query
 * @param {string | null} on `site`, `node`, `event` or `path`.
 * @throws {QueryError} not-yet, or not-here.
 */
export function requireAvailable(query, on = null) {
  for (const use of query.uses) {
    const { name, carriers, comesWith } = use.field;
    if (comesWith !== "") {
      throw new QueryError("not-yet", `"${name}" comes with ${comesWith}`, use);
    }
    if (on !== null && !carriers.includes(on)) {
      const message = `"${name}" is a field of ${carriers.join(" and ")}, not of ${on}`;
      throw new QueryError("not-here", message, use);
    }
  }
}

/**
 * The last text that could be asked of such objects, and what is wrong with the one being typed.
 * @param {string} text
 * @param {string} fallback
 * @param {string} carrier
 * @returns {[string, QueryError|null]}
 */
export function checked(text, fallback, carrier) {
  try {
    requireAvailable(parse(text), carrier);
    return [text.trim(), null];
  } catch (error) {
    return [fallback, error];
  }
}

/** @param {Node} node @returns {string} */
function written(node) {
  if ("and" in node) return node.and.map((part) => enclosed(part, ["or"])).join(" ");
  if ("or" in node) return node.or.map(written).join(" OR ");
  if ("not" in node) return `!${enclosed(node.not, ["and", "or"])}`;
  if ("text" in node) return isBareText(node.text) ? node.text : quote(node.text);
  if ("field" in node) return writtenComparison(node);
  if ("count" in node) return `count(${items(node.count, node.where)})${node.op}${node.number}`;
  if ("field" in node.where) return `inv.${node.inv}.${writtenComparison(node.where)}`;
  return items(node.inv, node.where);
}

/**
 * Returns the text of a part, in parentheses where it would bind too loosely.
 * @param {Node} node
 * @param {string[]} loose
 */
function enclosed(node, loose) {
  return loose.some((name) => name in node) ? `(${written(node)})` : written(node);
}

/** @param {string} itemClass @param {Node} where */
function items(itemClass, where) {
  return `inv.${itemClass}{${enclosed(where, ["or"])}}`;
}

/** @param {Comparison} node */
function writtenComparison(node) {
  const name = node.key === undefined ? node.field : `${node.field}.${node.key}`;
  const values = node.values.map((value) => {
    if (value === null) return "null";
    return isBareValue(value) && value !== "null" ? value : quote(value);
  });
  return `${name}${node.op}${values.join(",")}`;
}
