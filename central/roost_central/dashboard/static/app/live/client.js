/**
 * Keeps the tab's fleet current: snapshot, then frames; resync, pause and freshness.
 *
 * The model is loaded first and the feed joined from the snapshot's own position, so that no
 * change between the two is lost.
 */
import { ApiError, request } from "../api.js";
import { tellAlarms } from "../alarms/counts.js";
import { createStore } from "../store.js";
import { freezeClock, setServerNow } from "../time.js";
import { fleet } from "../fleet/model.js";
import { openLink } from "./link.js";

const STALE_MS = 12_000; // the server sends a frame every 5 s
const RESYNC_MS_MIN = 1_000; // at most one snapshot a second, however often the structure changes
const RETRY_MS_MAX = 30_000;

/** @typedef {"connecting"|"live"|"stale"|"offline"|"paused"} Condition */

/** What the state dot shows. `heardMs` is the steady clock at the last message. */
export const connection = createStore(
  /** @type {{condition: Condition, heardMs: number|null}} */ ({ condition: "connecting", heardMs: null }),
);

/** @type {import("./link.js").Link|null} */
let link = null;
let heardMs = null;
let paused = false;
let offline = false;
let loading = false;
let loadedAtMs = -Infinity;
let attempt = 0;
/** @type {Map<string, Set<(node: any) => void>>} */
const watchers = new Map();

/** Begin; the page may be drawn before this has answered. */
export function startLive() {
  link = openLink(receive);
  load();
  setInterval(publish, 1000);
  window.addEventListener("pagehide", () => link.leave());
  window.addEventListener("pageshow", (event) => event.persisted && !paused && load());
}

/** @param {boolean} hold stop all movement on the page, or go on from where it stopped */
export function pause(hold) {
  if (hold === paused) return;
  paused = hold;
  freezeClock(hold);
  if (hold) link.leave();
  else if (fleet.position()) link.join(fleet.position(), [...watchers.keys()]);
  publish();
}

/**
 * Hear of each change of a site's nodes.
 * @param {string} site
 * @param {(node: any) => void} callback told each node that changed
 * @returns {() => void} stops it
 */
export function watchSite(site, callback) {
  const callbacks = watchers.get(site) ?? new Set();
  watchers.set(site, callbacks.add(callback));
  link?.watch([...watchers.keys()]);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size === 0) watchers.delete(site);
    link?.watch([...watchers.keys()]);
  };
}

async function load() {
  if (loading) return;
  loading = true;
  const wait = loadedAtMs + RESYNC_MS_MIN * (1 + Math.random()) - performance.now();
  if (wait > 0) await sleep(wait);
  try {
    const snapshot = await request("/snapshot?view=fleet");
    loadedAtMs = performance.now();
    attempt = 0;
    offline = false;
    heard();
    setServerNow(snapshot.now);
    fleet.load(snapshot);
    if (!paused) link.join(fleet.position(), [...watchers.keys()]);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return;
    console.warn("the snapshot did not come: %s", error);
    offline = true;
    attempt += 1;
    setTimeout(load, 500 + Math.random() * Math.min(RETRY_MS_MAX, 1000 * 2 ** attempt));
  } finally {
    loading = false;
    publish();
  }
}

/** Go on after a login. */
export function resume() {
  offline = false;
  load();
}

function receive(message) {
  if (paused) return;
  if (message.type === "frame") onFrame(message);
  else if (message.type === "alarms") tellAlarms(message);
  else if (message.type === "resync") load();
  else if (message.type === "unauthorised") request("/status").then(load, () => {});
  else if (message.type === "state") {
    offline = message.state === "offline";
    publish();
  }
}

function onFrame(frame) {
  offline = false;
  heard();
  setServerNow(frame.t);
  fleet.apply(frame);
  for (const node of frame.nodes ?? []) {
    for (const callback of watchers.get(node.site) ?? []) callback(node);
  }
}

function heard() {
  heardMs = performance.now();
  publish();
}

function publish() {
  connection.set({ condition: condition(), heardMs });
}

/** @returns {Condition} */
function condition() {
  if (paused) return "paused";
  if (offline) return "offline";
  if (heardMs === null) return "connecting";
  return performance.now() - heardMs > STALE_MS ? "stale" : "live";
}

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
