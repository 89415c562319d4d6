/**
 * Cuts query text into words, quoted texts, operators and values.
 *
 * Twin of fleet/query_lexer.py; the grammar is query-parser.js. Places are UTF-16 offsets in here;
 * query.js turns them into the code points that a QueryError counts.
 */

/**
 * A stretch of the query; `text` is without quotes and escapes.
 * @typedef {{text: string, start: number, end: number, isQuoted: boolean}} Token
 */

/** @typedef {":" | "=" | "!=" | "<" | "<=" | ">" | ">="} Op */

export const QUERY_BYTES_MAX = 2048;
export const TERMS_MAX = 32;
export const DEPTH_MAX = 8;
export const VALUES_MAX = 32;
export const STARS_MAX = 8;

export const KEYWORDS = new Set(["AND", "OR", "NOT"]);

const SPACE = /[ \t\r\n]*/y;
const WORD = /[^ \t\r\n(){},"]*/y;
const OPERATOR = /:?(?:!=|<=|>=|=|<|>)|:/; // sev:>=major reads as sev>=major
const QUOTED = /"((?:[^"\\]|\\["\\])*)"/y;
const QUOTED_PREFIX = /"(?:[^"\\]|\\["\\])*/y;
const BARE_TEXT = /^(?!!)(?:[^ \t\r\n(){},":=<>!]|!(?!=))+$/;
const BARE_VALUE = /^(?![=<>]|!=)[^ \t\r\n(){},"]+$/;

/** A query that cannot be answered, with the place that is to blame. */
export class QueryError extends Error {
  /**
   * @param {string} code Stable name of the kind of error, such as `unknown-field`.
   * @param {string} message One sentence for a person.
   * @param {{start: number, end: number}} place
   * @param {string} suggestion What may have been meant, or the empty string.
   */
  constructor(code, message, place, suggestion = "") {
    super(message);
    this.name = "QueryError";
    this.code = code;
    this.offset = place.start;
    this.length = place.end - place.start;
    this.suggestion = suggestion;
  }
}

/** Walks over one query text from left to right. */
export class Scanner {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.pos = 0;
  }

  /** Steps over space and says whether there was any. */
  skipSpace() {
    const start = this.pos;
    this.pos = endOf(SPACE, this.text, start);
    return this.pos > start;
  }

  /** Returns the next character, or the empty string at the end. */
  peek() {
    return this.text.charAt(this.pos);
  }

  /** Returns the next character as a token, without taking it. @returns {Token} */
  here() {
    const code = this.text.codePointAt(this.pos);
    const text = code === undefined ? "" : String.fromCodePoint(code);
    return { text, start: this.pos, end: this.pos + text.length, isQuoted: false };
  }

  /** Steps over one character if it is next. @param {string} mark */
  take(mark) {
    const found = this.peek() === mark;
    if (found) this.pos += 1;
    return found;
  }

  /**
   * Returns everything up to space, bracket, comma or quote; may be empty. Takes nothing.
   * @returns {Token}
   */
  word() {
    return this.slice(this.pos, endOf(WORD, this.text, this.pos));
  }

  /** Returns the first operator in a word, as written. @param {Token} word */
  split(word) {
    const found = OPERATOR.exec(word.text);
    if (found === null) return null;
    const start = word.start + found.index;
    return this.slice(start, start + found[0].length);
  }

  /** @param {number} start @param {number} end @returns {Token} */
  slice(start, end) {
    return { text: this.text.slice(start, end), start, end, isQuoted: false };
  }

  /** Takes a quoted text. @returns {Token} */
  quoted() {
    const start = this.pos;
    QUOTED.lastIndex = start;
    const found = QUOTED.exec(this.text);
    if (found !== null) {
      this.pos = QUOTED.lastIndex;
      const text = found[1].replace(/\\(["\\])/g, "$1");
      return { text, start, end: this.pos, isQuoted: true };
    }
    const stop = endOf(QUOTED_PREFIX, this.text, start);
    if (stop + 1 < this.text.length) {
      const message = 'inside quotes write \\" for " and \\\\ for \\';
      throw new QueryError("bad-escape", message, { start: stop, end: stop + 2 });
    }
    const place = { start, end: this.text.length };
    throw new QueryError("unclosed-quote", "this quote is never closed", place);
  }

  /** Takes one value, quoted or bare. @returns {Token} */
  value() {
    if (this.peek() === '"') return this.quoted();
    const word = this.word();
    if (word.text === "") {
      const message = "a value must follow, without a space before it";
      throw new QueryError("expected-value", message, this.here());
    }
    if (!isBareValue(word.text)) {
      const message = "a value that starts with an operator must be quoted";
      throw new QueryError("expected-value", message, word);
    }
    this.pos = word.end;
    return word;
  }
}

/** Returns the operator that a written one means. @param {string} written */
export function opOf(written) {
  return /** @type {Op} */ (written === ":" ? written : written.replace(/^:/, ""));
}

/** Whether a token is the word null and not the text "null". @param {Token} token */
export function isNull(token) {
  return token.text === "null" && !token.isQuoted;
}

/** Whether a value can be written without quotes (null aside). @param {string} text */
export function isBareValue(text) {
  return BARE_VALUE.test(text);
}

/** Whether a text to search for can be written without quotes. @param {string} text */
export function isBareText(text) {
  return BARE_TEXT.test(text) && !KEYWORDS.has(text.toUpperCase());
}

/** Returns the text in quotes. @param {string} text */
export function quote(text) {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/**
 * Returns where a sticky pattern that may match nothing ends.
 * @param {RegExp} pattern @param {string} text @param {number} start
 */
function endOf(pattern, text, start) {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : start;
}
