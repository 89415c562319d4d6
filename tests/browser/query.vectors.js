/**
 * Asks query.js what the shared vectors ask, for Node and for a browser alike.
 *
 * Imported from beside a folder `app` with the dashboard's modules.
 */

import { FIELDS, QueryError, canonical, compile, parse, requireAvailable } from "./app/query.js";

/**
 * Returns the vectors that are answered wrongly, each with what was answered; `count` is how many
 * were asked, so that an empty file does not pass for a right one.
 */
export function check(vectors) {
  const fields = extended(vectors.fields);
  const wrong = [];
  const compare = (group, vector, expected, asked) => {
    const found = attempt(asked);
    if (!same(found, expected)) wrong.push({ group, vector, found });
  };
  for (const vector of vectors.parse) {
    const { query, ast, error } = vector;
    compare("parse", vector, error ?? ast, () => parse(query, fields).root);
  }
  for (const vector of vectors.canonical) {
    compare("canonical", vector, vector.canonical, () => canonical(parse(vector.query, fields)));
  }
  for (const vector of vectors.match) {
    const row = vectors.objects[vector.object];
    compare("match", vector, vector.match, () =>
      compile(parse(vector.query, fields))(row, vectors.now_ms),
    );
  }
  for (const vector of vectors.available) {
    compare("available", vector, vector.error, () => {
      requireAvailable(parse(vector.query, fields), vector.on);
      return null;
    });
  }
  const groups = [vectors.parse, vectors.canonical, vectors.match, vectors.available];
  return { count: groups.flat().length, wrong };
}

/** Returns all there is to say about one query: its tree, text and rows, or its error. */
export function answer({ query, rows, now_ms, fields }) {
  const parsed = attempt(() => parse(query, extended(fields)), true);
  if (parsed.code !== undefined) return parsed;
  return {
    ast: parsed.root,
    canonical: canonical(parsed),
    matches: attempt(() => rows.map((row) => compile(parsed)(row, now_ms)), true),
  };
}

/** Returns the field table with the fields that the tests add. */
function extended(extra) {
  const filled = extra.map((field) => ({
    doc: "",
    unit: "",
    choices: [],
    isKeyed: false,
    isLabel: false,
    isSince: false,
    comesWith: "",
    ...field,
  }));
  return new Map([...FIELDS, ...filled.map((field) => [field.name, field])]);
}

/** Returns what was asked, or the QueryError as data. */
function attempt(asked, withMessage = false) {
  try {
    return asked();
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    const { code, message, offset, length, suggestion } = error;
    return { code, offset, length, suggestion, ...(withMessage ? { message } : {}) };
  }
}

/** Whether two JSON values are equal, whatever the order of their keys. */
function same(left, right) {
  if (typeof left !== "object" || left === null || right === null) return left === right;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length && keys.every((key) => same(left[key], right[key]))
  );
}
