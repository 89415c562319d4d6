/**
 * Times as an operator reads them. "Now" is the server's clock, carried on by the browser's
 * steady one, so that a wrong wall clock at the desk never shows a wrong age.
 */
import { html } from "./html.js";
import { createStore, useStore } from "./store.js";
import { prefs } from "./prefs.js";

let anchorServerMs = Date.now();
let anchorLocalMs = performance.now();
let frozen = false;

/** Now on the server, to the second: what ages are drawn from. */
export const second = createStore(0);

/** @param {number} serverMs the server's clock, as its last message told it */
export function setServerNow(serverMs) {
  if (frozen) return;
  anchorServerMs = serverMs;
  anchorLocalMs = performance.now();
}

/** @returns {number} UTC ms of the server's clock */
export function serverNow() {
  return frozen ? anchorServerMs : anchorServerMs + performance.now() - anchorLocalMs;
}

/** Hold every age where it is, while updates are paused. */
export function freezeClock(hold) {
  const now = serverNow();
  frozen = hold;
  anchorServerMs = now;
  anchorLocalMs = performance.now();
}

export function startClock() {
  const tick = () => second.set(Math.floor(serverNow() / 1000));
  tick();
  setInterval(tick, 1000);
}

/** Draw the component again each second, and return the server's now in ms. */
export function useNow() {
  useStore(second);
  return serverNow();
}

/** @param {number|null|undefined} seconds @returns {string} two units at most: "4 m 10 s" */
export function ageText(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const s = Math.max(0, Math.round(seconds));
  if (s < 100) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m ${String(s % 60).padStart(2, "0")} s`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} m`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

const pad = (n, width = 2) => String(n).padStart(width, "0");

/** @param {number|string|null|undefined} time ms or RFC 3339 @returns {string} with its zone */
export function timeText(time, clock = prefs.get().clock) {
  const at = toMs(time);
  if (at === null) return "–";
  const zone = clock === "utc" ? 0 : -new Date(at).getTimezoneOffset();
  const d = new Date(at + zone * 60000);
  const day = `${d.getUTCFullYear()}-${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())}`;
  const hour = `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}:${pad(d.getUTCSeconds())}`;
  return `${day} ${hour}${clock === "utc" ? "Z" : offsetText(zone)}`;
}

function offsetText(minutes) {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "−" : "+"}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

/** @param {number|string|null|undefined} time @returns {number|null} */
export function toMs(time) {
  if (time === null || time === undefined) return null;
  const at = typeof time === "number" ? time : Date.parse(time);
  return Number.isNaN(at) ? null : at;
}

/**
 * An age that moves, with the moment on hover. Never seen is a dash; what is older than
 * `staleMs` is greyed, since it no longer stands for the present. `isAhead`: the time until then.
 */
export function Age({ at, suffix = "", staleMs = Infinity, isAhead = false }) {
  const now = useNow();
  const ms = toMs(at);
  if (ms === null) return html`<span class="never" title="never seen">–</span>`;
  const age = ageText((isAhead ? Math.max(ms - now, 0) : now - ms) / 1000);
  return html`<time class=${now - ms > staleMs ? "old" : ""} datetime=${new Date(ms).toISOString()}
    title=${timeText(ms)}>${age}${suffix}</time>`;
}

/** A moment with its zone, and its age on hover. */
export function Time({ at }) {
  const clock = useStore(prefs).clock;
  const ms = toMs(at);
  if (ms === null) return html`<span class="never">–</span>`;
  return html`<time datetime=${new Date(ms).toISOString()}
    title=${`${ageText((serverNow() - ms) / 1000)} ago`}>${timeText(ms, clock)}</time>`;
}
