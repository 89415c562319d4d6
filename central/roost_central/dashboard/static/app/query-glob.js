/**
 * Globs: `*` is any text, `?` one character; ASCII letters match in either case.
 *
 * Twin of fleet/query_glob.py. Linear in the value: a glob without `?` is a chain of substring
 * searches, one with `?` a bit-parallel automaton. No regular expression is built from user text.
 */

const NOT_ASCII = /[^\0-\x7f]/;

/**
 * Returns the text with ASCII capitals as small letters and nothing else changed.
 * @param {string} text
 */
export function fold(text) {
  if (!NOT_ASCII.test(text)) return text.toLowerCase(); // nearly always, and many times faster
  return text.replace(/[A-Z]+/g, (run) => run.toLowerCase());
}

/**
 * Returns the test whether a whole value fits the pattern.
 * @param {string} pattern
 * @returns {(value: string) => boolean}
 */
export function compileGlob(pattern) {
  pattern = fold(pattern);
  if (pattern.includes("?")) return automaton(pattern);
  const pieces = pattern.split("*");
  if (pieces.length === 1) return (value) => fold(value) === pattern;
  const head = pieces[0];
  const tail = pieces[pieces.length - 1];
  const parts = pieces.slice(1, -1).filter((part) => part !== "");
  return (value) => {
    value = fold(value);
    if (!value.startsWith(head)) return false;
    let at = head.length;
    for (const part of parts) {
      at = value.indexOf(part, at);
      if (at < 0) return false;
      at += part.length;
    }
    return value.length - tail.length >= at && value.endsWith(tail);
  };
}

/**
 * Matches with one bit for each place in the pattern; bit 0 is before its first character.
 * @param {string} pattern
 * @returns {(value: string) => boolean}
 */
function automaton(pattern) {
  let stays = 0n; // places before a star are not left by any character
  let place = 1n;
  let anyStep = 0n; // places entered by any character
  /** @type {Map<string, bigint>} */
  const stepOn = new Map();
  for (const char of pattern) {
    if (char === "*") {
      stays |= place;
      continue;
    }
    place <<= 1n;
    if (char === "?") anyStep |= place;
    else stepOn.set(char, (stepOn.get(char) ?? 0n) | place);
  }
  for (const [char, places] of stepOn) stepOn.set(char, places | anyStep);
  const goal = place;
  return (value) => {
    let places = 1n;
    for (const char of fold(value)) {
      places = ((places << 1n) & (stepOn.get(char) ?? anyStep)) | (places & stays);
      if (places === 0n) return false;
    }
    return (places & goal) !== 0n;
  };
}
