/** The shared worker: one feed, and a port for each tab. */
import { Feed } from "./feed.js";

const feed = new Feed();

self.addEventListener("connect", (/** @type {any} */ event) => {
  const port = event.ports[0];
  const member = { deliver: (message) => port.postMessage(message), watch: [] };
  port.onmessage = ({ data }) => {
    if (data.type === "join") {
      member.watch = data.watch;
      feed.join(member, data.position);
    } else if (data.type === "watch") {
      feed.watch(member, data.watch);
    } else if (data.type === "leave") {
      feed.leave(member);
    }
  };
});
