/**
 * The keyboard: single keys act only outside of fields, and can be switched off (WCAG 2.1.4).
 */
import { prefs } from "../prefs.js";

const CHORD_MS_MAX = 1_000; // "g" then "f"

/** @type {Set<Record<string, () => void>>} the last one that knows a key gets it */
const tables = new Set();
let prefix = { key: "", atMs: 0 };

/**
 * @param {Record<string, () => void>} table `"n"`, `"g f"` for two keys in turn, or `"Ctrl k"`
 * @returns {() => void} takes it away again
 */
export function onKeys(table) {
  tables.add(table);
  return () => tables.delete(table);
}

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      withModifier(event);
      return;
    }
    if (event.key !== "Escape" && (isTyping(event.target) || !prefs.get().singleKeys)) return;
    const now = performance.now();
    const chord = now - prefix.atMs < CHORD_MS_MAX ? `${prefix.key} ${event.key}` : "";
    prefix = { key: event.key, atMs: now };
    const action = find(chord) ?? find(event.key);
    if (!action) return;
    if (event.key !== "Escape") event.preventDefault(); // an open dialog closes by it
    action();
  });
}

/** With Ctrl or Cmd a key acts in fields too, and whether or not single keys do. */
function withModifier(event) {
  const action = !event.shiftKey && !document.querySelector("dialog[open]") && find(`Ctrl ${event.key.toLowerCase()}`);
  if (!action) return;
  event.preventDefault();
  action();
}

function find(key) {
  return [...tables].reverse().find((table) => Object.hasOwn(table, key))?.[key];
}

function isTyping(target) {
  return target.closest?.("input, select, textarea, [contenteditable], dialog[open]") !== null;
}
