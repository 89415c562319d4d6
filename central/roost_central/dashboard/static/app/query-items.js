/**
 * Compiles the inventory's part of a query for rows that carry their items with them.
 *
 * Twin of fleet/query_items.py. Such a row answers `("inv", CLASS)` with the list of its items, each
 * an object of its fields, its `id` and `FIELD.reason` among them, and `("inv.reason", CLASS)` with
 * why the class is empty. Rows that do not (the fleet's) are asked by the server.
 */

import { REASON } from "./query-fields.js";
import { QueryError } from "./query-lexer.js";
import { ORDERS, compileNode } from "./query-match.js";
import { inventoryField } from "./query-resolve.js";

/** @typedef {import("./query-fields.js").Field} Field */
/** @typedef {import("./query-match.js").Getter} Getter */
/** @typedef {import("./query-match.js").Predicate} Predicate */
/** @typedef {import("./query-match.js").Resolver} Resolver */
/** @typedef {import("./query-parser.js").Node} Node */
/** @typedef {import("./query-parser.js").Inventory} Inventory */
/** @typedef {import("./query-parser.js").Count} Count */

/**
 * Returns the test of a row by its items.
 * @param {Inventory | Count} node
 * @param {Map<string, Field>} fields
 * @param {Resolver} resolver
 * @returns {Predicate}
 * @throws {QueryError} not-here, where such rows carry no items.
 */
export function compileItems(node, fields, resolver) {
  if ("count" in node) {
    const get = getter(resolver, "inv", node.count);
    const test = itemTest(node.count, node.where, fields);
    const order = ORDERS[node.op];
    return (row, now) => order(items(get(row)).filter((item) => test(item, now)).length, node.number);
  }
  if ("field" in node.where && node.where.field === REASON) {
    const get = getter(resolver, "inv.reason", node.inv);
    return compileNode(node.where, classFields(node.inv, node.where, fields), () => get);
  }
  const get = getter(resolver, "inv", node.inv);
  const test = itemTest(node.inv, node.where, fields);
  return (row, now) => items(get(row)).some((item) => test(item, now));
}

/** @param {unknown} value @returns {object[]} */
function items(value) {
  return Array.isArray(value) ? value : [];
}

/** @param {string} itemClass @param {Node} where @param {Map<string, Field>} fields */
function itemTest(itemClass, where, fields) {
  return compileNode(where, classFields(itemClass, where, fields), (name) => (item) => item[name]);
}

/**
 * Returns the fields that a condition names, under the names it gives them.
 * @param {string} itemClass
 * @param {Node} where
 * @param {Map<string, Field>} fields
 * @returns {Map<string, Field>}
 */
function classFields(itemClass, where, fields) {
  const named = new Map();
  /** @param {Node} node */
  const visit = (node) => {
    if ("field" in node) named.set(node.field, inventoryField(itemClass, node.field, fields));
    else if ("not" in node) visit(node.not);
    else if ("and" in node) node.and.forEach(visit);
    else if ("or" in node) node.or.forEach(visit);
  };
  visit(where);
  return named;
}

/** @param {Resolver} resolver @param {string} name @param {string} itemClass @returns {Getter} */
function getter(resolver, name, itemClass) {
  const found = resolver(name, itemClass);
  if (found === null) {
    const message = `"inv.${itemClass}" is a field of lists: the inventory is not at hand here`;
    throw new QueryError("not-here", message, { start: 0, end: 0 });
  }
  return found;
}
