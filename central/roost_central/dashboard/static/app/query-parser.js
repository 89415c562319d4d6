/**
 * Parses query text into its tree: recursive descent over the grammar below.
 *
 *     query = or        or = and {"OR" and}        and = unary {["AND"] unary}
 *     unary = ["!"] ( "(" or ")" | term )
 *     term  = field op value {"," value} | inv | "count(" inv ")" cmp number | text
 *     inv   = "inv." class "{" and "}"             value = bare | quoted | null
 *
 * Twin of fleet/query_parser.py; the tree is already in normal form (fleet/query_ast.py).
 */

import { INVENTORY, REASON } from "./query-fields.js";
import {
  DEPTH_MAX,
  KEYWORDS,
  QUERY_BYTES_MAX,
  QueryError,
  Scanner,
  TERMS_MAX,
  VALUES_MAX,
  isNull,
  opOf,
} from "./query-lexer.js";
import {
  canonicalValue,
  checkStars,
  findClass,
  findField,
  findItemField,
  partition,
} from "./query-resolve.js";
import { KINDS } from "./query-values.js";

/** @typedef {import("./query-fields.js").Field} Field */
/** @typedef {import("./query-lexer.js").Token} Token */
/** @typedef {import("./query-lexer.js").Op} Op */
/** @typedef {{field: string, key?: string, op: Op, values: (string | null)[]}} Comparison */
/** @typedef {{inv: string, where: Node}} Inventory */
/** @typedef {{count: string, where: Node, op: Op, number: number}} Count */
/**
 * @typedef {{and: Node[]} | {or: Node[]} | {not: Node} | {text: string} | Comparison | Inventory
 *   | Count} Node
 */
/** @typedef {{field: Field, start: number, end: number}} Use */

const COUNT = "count";
const ORDERED_OPS = new Set(["<", "<=", ">", ">="]);
const CLASS = /^[a-z][a-z0-9_]{0,30}$/;
const ITEM_FIELD = /^[a-z][a-z0-9_]{0,30}(?:\.[a-z][a-z0-9_]{0,30})?$/;
const COUNT_NUMBER = /^[0-9]{1,9}$/;

/**
 * Returns the tree of a query and the fields it uses; blank text holds for everything.
 * @param {string} text
 * @param {Map<string, Field>} fields
 */
export function parseQuery(text, fields) {
  const half = text.search(/\p{Surrogate}/u);
  if (half >= 0) {
    const place = { start: half, end: half + 1 };
    throw new QueryError("not-text", "half a surrogate pair is not text", place);
  }
  const size = new TextEncoder().encode(text).length;
  if (size > QUERY_BYTES_MAX) {
    const message = `a query has at most ${QUERY_BYTES_MAX} bytes, this one has ${size}`;
    throw new QueryError("too-long", message, { start: 0, end: text.length });
  }
  const parser = new Parser(text, fields);
  return { root: parser.run(), uses: parser.uses };
}

/** One run over one text. */
class Parser {
  /** @param {string} text @param {Map<string, Field>} fields */
  constructor(text, fields) {
    this.scan = new Scanner(text);
    this.fields = fields;
    this.depth = 0;
    this.terms = 0;
    this.itemClass = ""; // inside the braces of inv.CLASS{..}
    /** @type {Use[]} */
    this.uses = [];
  }

  /** Parses the whole text. @returns {Node} */
  run() {
    this.scan.skipSpace();
    if (this.scan.peek() === "") return { and: [] };
    const root = this.or();
    if (this.scan.peek() !== "") throw this.unexpected();
    return root;
  }

  /** or = and {"OR" and}. @returns {Node} */
  or() {
    const parts = [this.and()];
    for (let word = this.scan.word(); word.text === "OR"; word = this.scan.word()) {
      this.scan.pos = word.end;
      parts.push(this.and());
    }
    const flat = parts.flatMap((part) => ("or" in part ? part.or : [part]));
    return flat.length === 1 ? flat[0] : { or: flat };
  }

  /** and = unary {["AND"] unary}; ends before "OR", a closing bracket or the end. */
  and() {
    const parts = [this.unary()];
    while (this.goesOn()) parts.push(this.unary());
    const flat = parts.flatMap((part) => ("and" in part ? part.and : [part]));
    return flat.length === 1 ? flat[0] : { and: flat };
  }

  /** Whether another unary follows; takes space and "AND". */
  goesOn() {
    const hasSpace = this.scan.skipSpace();
    const next = this.scan.peek();
    if (next === "" || next === ")" || next === "}") return false;
    if (next === "," || next === "{") throw this.unexpected();
    if (!hasSpace) {
      throw new QueryError("expected-space", "a space must stand here", this.scan.here());
    }
    const word = this.scan.word();
    if (word.text === "AND") this.scan.pos = word.end;
    return word.text !== "OR";
  }

  /** unary = ["!"] primary. @returns {Node} */
  unary() {
    this.scan.skipSpace();
    if (!this.scan.take("!")) return this.primary();
    this.scan.skipSpace();
    const part = this.primary();
    return "not" in part ? part.not : { not: part };
  }

  /** primary = "(" or ")" | term. @returns {Node} */
  primary() {
    if (this.scan.peek() === "(") return this.enclosed(")", () => this.or());
    const word = this.scan.peek() === '"' ? this.scan.quoted() : this.scan.word();
    this.terms += 1;
    if (this.terms > TERMS_MAX) {
      throw new QueryError("too-many-terms", `a query has at most ${TERMS_MAX} terms`, word);
    }
    return word.isQuoted ? this.text(word) : this.term(word);
  }

  /**
   * Parses what stands between the bracket that is next and its closing one.
   * @template T
   * @param {string} closing
   * @param {() => T} inner
   * @returns {T}
   */
  enclosed(closing, inner) {
    const opening = this.scan.here();
    this.scan.pos = opening.end;
    this.depth += 1;
    if (this.depth > DEPTH_MAX) {
      throw new QueryError("too-deep", `brackets stand at most ${DEPTH_MAX} deep`, opening);
    }
    const node = inner();
    if (!this.scan.take(closing)) {
      if (this.scan.peek() !== "") throw this.unexpected();
      throw new QueryError("unclosed", `no "${closing}" closes this`, opening);
    }
    this.depth -= 1;
    return node;
  }

  /** Tells the terms that begin with a bare word apart. @param {Token} word @returns {Node} */
  term(word) {
    const written = this.scan.split(word);
    if (word.text === "" || word.text.startsWith("!") || written?.start === word.start) {
      const place = written ?? this.scan.here();
      throw new QueryError("expected-term", "a term must stand here", place);
    }
    if (written !== null) {
      this.scan.pos = written.end;
      return this.comparison(this.scan.slice(word.start, written.start), written);
    }
    const after = this.scan.text.charAt(word.end);
    if (after === "{" && word.text.startsWith(INVENTORY)) return this.inventory();
    if (after === "(" && word.text === COUNT) return this.count(word);
    if (KEYWORDS.has(word.text.toUpperCase())) throw keyword(word);
    this.scan.pos = word.end;
    return this.text(word);
  }

  /** Text: contained in one of the text fields. @param {Token} word @returns {Node} */
  text(word) {
    if (this.itemClass !== "") {
      const message = "inside inv.CLASS{..} every term is FIELD OP VALUE";
      throw new QueryError("expected-term", message, word);
    }
    if (word.text === "") {
      throw new QueryError("expected-term", "there is nothing to search for", word);
    }
    checkStars(word);
    return { text: word.text };
  }

  /**
   * field op value {"," value}; the scanner stands behind the operator.
   * @param {Token} name
   * @param {Token} written
   * @returns {Node}
   */
  comparison(name, written) {
    if (this.itemClass !== "") {
      return this.itemComparison(this.itemClass, name.text, name, written);
    }
    if (name.text.startsWith(INVENTORY)) {
      const { head, tail } = partition(name.text.slice(INVENTORY.length));
      this.checkClass(head, name);
      return { inv: head, where: this.itemComparison(head, tail, name, written) };
    }
    const { field, key } = findField(name, this.fields);
    const { op, values } = this.operands(field, name, written);
    return { field: field.name, ...(key === null ? {} : { key }), op, values };
  }

  /**
   * Takes the values that a field is compared with, and returns them with the operator.
   * @param {Field} field
   * @param {Token} name
   * @param {Token} written
   */
  operands(field, name, written) {
    this.uses.push({ field, start: name.start, end: name.end });
    let op = opOf(written.text);
    const kind = KINDS[field.kind];
    if (ORDERED_OPS.has(op) && !kind.isOrdered) {
      throw new QueryError("not-ordered", `"${field.name}" has no order; use = or :`, written);
    }
    const tokens = this.values(op);
    const isAnyValue = tokens.length === 1 && tokens[0].text === "*";
    if (op === ":" && !kind.takesGlobs && !isAnyValue) op = "=";
    return { op, values: tokens.map((token) => canonicalValue(field, op, token)) };
  }

  /**
   * Compares a field of an item; inside braces `name` is the field alone.
   * @param {string} itemClass
   * @param {string} field
   * @param {Token} name
   * @param {Token} written
   * @returns {Comparison}
   */
  itemComparison(itemClass, field, name, written) {
    if (!ITEM_FIELD.test(field) || (this.itemClass !== "" && field === REASON)) throw badItem(name);
    const found = findItemField(itemClass, field, name, this.fields);
    return { field, ...this.operands(found, name, written) };
  }

  /**
   * Refuses what is no class, and a class inside another's braces.
   * @param {string} itemClass
   * @param {Token} name
   */
  checkClass(itemClass, name) {
    if (this.itemClass !== "" || !CLASS.test(itemClass)) throw badItem(name);
    findClass(itemClass, name, this.fields);
  }

  /** inv = "inv." class "{" and "}". @returns {Inventory} */
  inventory() {
    const word = this.scan.word();
    const itemClass = word.text.slice(INVENTORY.length);
    this.checkClass(itemClass, word);
    this.scan.pos = word.end;
    this.itemClass = itemClass;
    const where = this.enclosed("}", () => this.and());
    this.itemClass = "";
    return { inv: itemClass, where };
  }

  /** "count(" inv ")" cmp number. @param {Token} word @returns {Count} */
  count(word) {
    this.scan.pos = word.end;
    const items = this.enclosed(")", () => this.counted());
    const written = this.scan.split(this.scan.word());
    if (written === null || written.start !== this.scan.pos || written.text.startsWith(":")) {
      const message = "count(..) is compared with a number, such as count(inv.disk{type=nvme})>=2";
      throw new QueryError("expected-value", message, this.scan.here());
    }
    this.scan.pos = written.end;
    const number = this.scan.value();
    if (!COUNT_NUMBER.test(number.text)) {
      const message = `count takes a whole number, not "${number.text}"`;
      throw new QueryError("invalid-value", message, number);
    }
    return {
      count: items.inv,
      where: items.where,
      op: opOf(written.text),
      number: Number(number.text),
    };
  }

  /** Parses the items between the parentheses of count. */
  counted() {
    this.scan.skipSpace();
    const word = this.scan.word();
    if (this.scan.text.charAt(word.end) !== "{" || !word.text.startsWith(INVENTORY)) {
      const message = "count(..) takes items, such as inv.disk{type=nvme}";
      const place = word.text === "" ? this.scan.here() : word;
      throw new QueryError("expected-term", message, place);
    }
    const items = this.inventory();
    this.scan.skipSpace();
    return items;
  }

  /** value {"," value}: at most VALUES_MAX, one for an ordered operator. @param {Op} op */
  values(op) {
    const tokens = [this.value(op)];
    while (this.scan.take(",")) {
      const token = this.value(op);
      tokens.push(token);
      if (ORDERED_OPS.has(op)) {
        throw new QueryError("one-value", `"${op}" compares with one value`, token);
      }
      if (tokens.length > VALUES_MAX) {
        const message = `a list has at most ${VALUES_MAX} values`;
        throw new QueryError("too-many-values", message, token);
      }
    }
    return tokens;
  }

  /** Takes one value; null goes with = and != alone. @param {Op} op */
  value(op) {
    const token = this.scan.value();
    if (isNull(token) && op !== "=" && op !== "!=") {
      const message = 'unknown is asked for with =null or !=null; quote the text "null"';
      throw new QueryError("null-operator", message, token, "=null");
    }
    return token;
  }

  /** Returns the error for what cannot stand here: a whole word, or one bracket or comma. */
  unexpected() {
    const word = this.scan.word();
    const here = word.text === "" ? this.scan.here() : word;
    return new QueryError("unexpected", `"${here.text}" cannot stand here`, here);
  }
}

/** Returns the error for a word that looks like an operator. @param {Token} word */
function keyword(word) {
  const upper = word.text.toUpperCase();
  const suggestion = upper === "NOT" ? "!" : upper;
  const hint = "operators are AND, OR and !; quote it to search for it";
  const message = `"${word.text}" is not a term; ${hint}`;
  return new QueryError("keyword", message, word, suggestion === word.text ? "" : suggestion);
}

/** Returns the error for a name that is not one of the inventory. @param {Token} name */
function badItem(name) {
  const message = "write inv.CLASS.FIELD or inv.CLASS{FIELD OP VALUE ..}, never one inside another";
  return new QueryError("bad-key", message, name);
}
