/** An order that somebody waits for: how it stands, until it has ended. */
import { request } from "../api.js";

const LOOK_MS = 1_000;
const LOOKS_MAX = 1_800; // half an hour, longer than any of them may take
const OPEN = new Set(["pending", "ready", "taken"]);

/** Ask for an order again and again until it has ended; return it as it is then. */
export async function follow(order, onNews) {
  let now = order;
  for (let looks = 0; OPEN.has(now.state) && looks < LOOKS_MAX; looks += 1) {
    await new Promise((done) => { setTimeout(done, LOOK_MS); });
    now = await request(`/orders/${order.id}`).catch(() => now);
    onNews(now);
  }
  return now;
}

export function standing(order) {
  const words = { pending: "waits for a second person", ready: order.sends ? "sent" : "waits for the node", taken: "the node has it" };
  return `${words[order.state] ?? order.state}${order.text && `, ${order.text}`}`;
}
