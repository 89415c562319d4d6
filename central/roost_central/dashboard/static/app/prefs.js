/** What one browser remembers of its user: theme, clock, single keys, the way to log in. Never a secret. */
import { createStore } from "./store.js";

const KEY = "roost.prefs";

/** @typedef {{theme: "auto"|"light"|"dark", clock: "utc"|"browser", singleKeys: boolean,
 *   loginBy: "token"|"password"}} Prefs `loginBy`: as it was done last */

/** @type {Record<string, (value: any) => boolean>} */
const VALID = {
  theme: (value) => ["auto", "light", "dark"].includes(value),
  clock: (value) => ["utc", "browser"].includes(value),
  singleKeys: (value) => typeof value === "boolean",
  loginBy: (value) => ["token", "password"].includes(value),
};

/** @type {Prefs} */
const DEFAULTS = { theme: "auto", clock: "utc", singleKeys: true, loginBy: "token" };

/** @type {import("./store.js").Store<Prefs>} */
export const prefs = createStore(read());

/** @param {Partial<Prefs>} change */
export function setPrefs(change) {
  const next = { ...prefs.get(), ...change };
  prefs.set(next);
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // A browser that keeps nothing still works until the tab is closed.
  }
}

function read() {
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
  } catch {
    // Unreadable or forbidden: begin with the defaults.
  }
  const valid = Object.entries(kept).filter(([name, value]) => VALID[name]?.(value));
  return { ...DEFAULTS, ...Object.fromEntries(valid) };
}
