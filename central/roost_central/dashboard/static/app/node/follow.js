/** An order that somebody waits for: how it stands, until it has ended. */
import { useEffect, useRef } from "../html.js";
import { request } from "../api.js";

const LOOK_MS = 1_000;
const LOOKS_MAX = 1_800; // half an hour; what takes longer is on the page of orders
const OPEN = new Set(["pending", "ready", "taken"]);

/** A signal that is given when the component goes: nobody waits for its answers any more. */
export function useLeft() {
  const stop = useRef(/** @type {AbortController|null} */ (null));
  stop.current ??= new AbortController();
  useEffect(() => () => stop.current.abort(), []);
  return stop.current.signal;
}

/**
 * Ask for an order again and again until it has ended; return it as it is then.
 * @param {any} order
 * @param {(now: any) => void} onNews
 * @param {AbortSignal} left ends the asking; what is returned then is of nobody's interest
 */
export async function follow(order, onNews, left) {
  let now = order;
  for (let looks = 0; OPEN.has(now.state) && looks < LOOKS_MAX; looks += 1) {
    await new Promise((done) => { setTimeout(done, LOOK_MS); });
    if (left.aborted) break;
    now = await request(`/orders/${order.id}`, { signal: left }).catch(() => now);
    if (left.aborted) break;
    onNews(now);
  }
  return now;
}

export function standing(order) {
  const words = { pending: "waits for a second person", ready: order.sends ? "sent" : "waits for the node", taken: order.code === "awaits-box" ? "waits for its box" : "the node has it" };
  return `${words[order.state] ?? order.state}${order.text && `, ${order.text}`}`;
}
