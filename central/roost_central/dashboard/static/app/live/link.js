/** A tab's side of the feed: through the shared worker, or alone where there is none. */
import { Feed } from "./feed.js";

/**
 * @typedef {{
 *   join: (position: {epoch: string, n: number}, watch: string[]) => void,
 *   watch: (watch: string[]) => void,
 *   leave: () => void,
 * }} Link
 */

/**
 * @param {(message: any) => void} deliver
 * @returns {Link}
 */
export function openLink(deliver) {
  return "SharedWorker" in globalThis ? shared(deliver) : alone(deliver);
}

/** @returns {Link} */
function shared(deliver) {
  const address = new URL("./worker.js", import.meta.url).href;
  const worker = new SharedWorker(trusted(address), { type: "module", name: "roost" });
  worker.port.onmessage = ({ data }) => deliver(data);
  const post = (message) => worker.port.postMessage(message);
  return {
    join: (position, watch) => post({ type: "join", position, watch }),
    watch: (watch) => post({ type: "watch", watch }),
    leave: () => post({ type: "leave" }),
  };
}

/** @returns {Link} */
function alone(deliver) {
  const feed = new Feed();
  const member = { deliver, watch: [] };
  return {
    join(position, watch) {
      member.watch = watch;
      feed.join(member, position);
    },
    watch: (watch) => feed.watch(member, watch),
    leave: () => feed.leave(member),
  };
}

/** The only script address that this page makes from a string: the worker beside this module. */
function trusted(address) {
  if (!globalThis.trustedTypes) return address;
  const policy = globalThis.trustedTypes.createPolicy("roost", {
    createScriptURL(url) {
      if (new URL(url).origin !== location.origin) throw new TypeError("not of this origin");
      return url;
    },
  });
  return policy.createScriptURL(address);
}
