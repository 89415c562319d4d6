/**
 * Checks a comparison against the field table: is the name a field, is the value one of its kind.
 *
 * Twin of fleet/query_resolve.py and fleet/query_suggest.py.
 */

import { INVENTORY, ITEM_ID, REASON } from "./query-fields.js";
import { fold } from "./query-glob.js";
import { QueryError, STARS_MAX, isNull } from "./query-lexer.js";
import { KINDS } from "./query-values.js";

/** @typedef {import("./query-fields.js").Field} Field */
/** @typedef {import("./query-lexer.js").Token} Token */

const SHORT_WORD = 4; // up to here one edit may separate word and choice, above it two
const PREFIX_MIN = 3; // a shorter common beginning says nothing
const ANY_KEY = "*";
const KEY = /^[A-Za-z0-9_-]{1,31}$/;

/**
 * Returns the field of a name and the key behind its dot.
 * @param {Token} name
 * @param {Map<string, Field>} fields
 * @returns {{field: Field, key: string | null}}
 */
export function findField(name, fields) {
  const field = fields.get(name.text);
  if (field !== undefined && !field.isKeyed) return { field, key: null };
  const { head, dot, tail: key } = partition(name.text);
  const keyed = fields.get(head);
  if (keyed === undefined || !keyed.isKeyed) {
    const message = `there is no field "${name.text}"; to search for the text put it in quotes`;
    throw new QueryError("unknown-field", message, name, nearest(name.text, fields));
  }
  if (key !== ANY_KEY && !KEY.test(key)) {
    const message = `"${head}" needs a key, such as ${head}.K, or ${head}.* for all`;
    throw new QueryError("bad-key", message, name, dot ? "" : `${head}.*`);
  }
  return { field: keyed, key };
}

/**
 * Returns a field of a class of the inventory, null where there is none; `reason` is the class's
 * own, `FIELD.reason` is derived from its field.
 * @param {string} itemClass
 * @param {string} name
 * @param {Map<string, Field>} fields
 * @returns {Field | null}
 */
export function inventoryField(itemClass, name, fields) {
  const { head, dot, tail } = partition(name);
  const of = dot ? head : name === REASON ? ITEM_ID : name;
  const known = fields.get(`${INVENTORY}${itemClass}.${of}`);
  if (known === undefined || (dot && tail !== REASON)) return null;
  if (!dot && name !== REASON) return known;
  return { ...known, name: `${INVENTORY}${itemClass}.${name}`, kind: "text", unit: "" };
}

/**
 * Refuses a class of the inventory that is not in the table.
 * @param {string} itemClass
 * @param {Token} name
 * @param {Map<string, Field>} fields
 */
export function findClass(itemClass, name, fields) {
  if (fields.has(`${INVENTORY}${itemClass}.${ITEM_ID}`)) return;
  const classes = [...fields.keys()]
    .filter((known) => known.startsWith(INVENTORY))
    .map((known) => known.split(".")[1]);
  const near = closest(itemClass, [...new Set(classes)]);
  const rest = name.text.slice(INVENTORY.length + itemClass.length);
  const message = `the inventory has no class "${itemClass}"`;
  throw new QueryError("unknown-field", message, name, near && `${INVENTORY}${near}${rest}`);
}

/**
 * Returns a field of a class that is there; `name` is how it was written.
 * @param {string} itemClass
 * @param {string} field
 * @param {Token} name
 * @param {Map<string, Field>} fields
 * @returns {Field}
 */
export function findItemField(itemClass, field, name, fields) {
  const found = inventoryField(itemClass, field, fields);
  if (found !== null) return found;
  const { head, dot } = partition(field);
  const prefix = `${INVENTORY}${itemClass}.`;
  const names = [...fields.keys()]
    .filter((known) => known.startsWith(prefix))
    .map((known) => known.slice(prefix.length));
  const near = closest(head, names);
  const before = name.text.slice(0, name.text.length - field.length);
  const message = `an item of ${INVENTORY}${itemClass} has no field "${field}"`;
  const meant = near && `${before}${near}${dot ? `.${REASON}` : ""}`;
  throw new QueryError("unknown-field", message, name, meant);
}

/**
 * Returns a value in normal form, null for null.
 * @param {Field} field
 * @param {string} op
 * @param {Token} token
 * @returns {string | null}
 */
export function canonicalValue(field, op, token) {
  if (isNull(token)) return null;
  if (op === ":") {
    checkStars(token);
    if (field.choices.length === 0 || /[*?]/.test(token.text)) return token.text;
  }
  const kind = KINDS[field.kind];
  const value = op === ":" ? fold(token.text) : kind.canonical(token.text);
  if (value !== null && (field.choices.length === 0 || field.choices.includes(value))) return value;
  const hint = field.choices.length > 0 ? `one of ${field.choices.join(", ")}` : kind.hint;
  const message = `"${field.name}" takes ${hint}, not "${token.text}"`;
  throw new QueryError("invalid-value", message, token, closest(token.text, field.choices));
}

/** Refuses a glob with more than STARS_MAX stars. @param {Token} token */
export function checkStars(token) {
  if (token.text.split("*").length - 1 > STARS_MAX) {
    throw new QueryError("too-many-stars", `a glob has at most ${STARS_MAX} stars`, token);
  }
}

/**
 * Returns the choice nearest to the word, the first among equals, or the empty string.
 * @param {string} word
 * @param {string[]} choices
 */
export function closest(word, choices) {
  word = fold(word);
  const letters = [...word];
  let best = "";
  let bestDistance = (letters.length <= SHORT_WORD ? 1 : 2) + 1;
  for (const choice of choices) {
    const distance = editDistance(letters, [...choice], bestDistance);
    if (distance < bestDistance) {
      best = choice;
      bestDistance = distance;
    }
  }
  return best || (choices.find((choice) => sharesStart(word, choice)) ?? "");
}

/**
 * Returns the insertions, deletions, changes and swaps of neighbours from left to right, at most
 * `limit`.
 * @param {string[]} left
 * @param {string[]} right
 * @param {number} limit
 */
function editDistance(left, right, limit) {
  if (Math.abs(left.length - right.length) >= limit) return limit;
  /** @type {number[]} */
  let before = [];
  let last = [...right.keys(), right.length];
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const isChange = left[row - 1] === right[column - 1] ? 0 : 1;
      let cost = Math.min(last[column] + 1, current[column - 1] + 1, last[column - 1] + isChange);
      const isSwap = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && isSwap) cost = Math.min(cost, before[column - 2] + 1);
      current.push(cost);
    }
    before = last;
    last = current;
  }
  return Math.min(last[right.length], limit);
}

/** @param {string} word @param {string} choice */
function sharesStart(word, choice) {
  if (Math.min([...word].length, choice.length) < PREFIX_MIN) return false;
  return word.startsWith(choice) || choice.startsWith(word);
}

/**
 * Returns the field name that was probably meant, or the empty string.
 * @param {string} name
 * @param {Map<string, Field>} fields
 */
function nearest(name, fields) {
  const { head, dot, tail } = partition(name);
  if (!dot) return closest(name, [...fields.keys()]);
  const heads = [...fields.values()]
    .filter((field) => field.isKeyed || field.name.includes("."))
    .map((field) => partition(field.name).head);
  const near = closest(head, [...new Set(heads)]);
  return near === "" ? "" : `${near}.${tail}`;
}

/** @param {string} name */
export function partition(name) {
  const at = name.indexOf(".");
  if (at < 0) return { head: name, dot: false, tail: "" };
  return { head: name.slice(0, at), dot: true, tail: name.slice(at + 1) };
}
