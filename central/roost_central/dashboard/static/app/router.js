/** The address is the state: paths name a page, the query names its view. */
import { createStore } from "./store.js";

/** @typedef {{page: string, name: string, params: URLSearchParams, path: string}} Route */

/** @param {string} address @param {{replace?: boolean}} [options] */
export function navigate(address, { replace = false } = {}) {
  if (address === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", address);
  route.set(read());
  if (!replace) window.scrollTo(0, 0);
}

/** Change some of the query's parameters; an empty value removes one. */
export function setParams(changes, { replace = true } = {}) {
  const params = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) params.set(name, value);
    else params.delete(name);
  }
  navigate(location.pathname + searchText(params), { replace });
}

/** @param {URLSearchParams} params as people read and type them: ':' and ',' stay as they are */
function searchText(params) {
  const text = params.toString().replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%2F", "/");
  return text && `?${text}`;
}

export const sitePath = (site) => `/sites/${encodeURIComponent(site)}`;
export const nodePath = (node) => `/nodes/${encodeURIComponent(node)}`;
export const incidentPath = (id) => `/incidents/${encodeURIComponent(id)}`;
export const alarmsPath = (q, show = "") => `/alarms${searchText(new URLSearchParams({
  ...(q ? { q } : {}), ...(show ? { show } : {}),
}))}`;
export const fleetPath = (q) => `/${searchText(new URLSearchParams(q ? { q } : {}))}`;

/** A value as the query language quotes it. */
export const quoted = (value) => (/^[\w.-]+$/.test(value) ? value
  : `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`);

const PAGES = {
  "": "fleet", sites: "site", nodes: "node", events: "events", login: "login", alarms: "alarms",
  incidents: "incidents", shelf: "shelf", load: "load", northbound: "northbound", v: "view",
  enrol: "enrol", admin: "admin", audit: "audit", inventory: "inventory", profiles: "profiles",
  drift: "drift", hosts: "hosts", rollouts: "rollouts",
};
const SHORT = { a: (id) => alarmsPath("", id), i: incidentPath }; // what messages to others carry

/** @type {import("./store.js").Store<Route>} */
export const route = createStore(read());

export function startRouter() {
  window.addEventListener("popstate", () => route.set(read()));
  document.addEventListener("click", (event) => {
    const link = /** @type {HTMLElement} */ (event.target).closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const target = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    if (target.origin !== location.origin || link.hasAttribute("download")) return;
    if (target.hash && target.pathname === location.pathname) return;
    event.preventDefault();
    navigate(target.pathname + target.search);
  });
}

/** @returns {Route} */
function read() {
  const [, short, id] = location.pathname.split("/");
  if (id && Object.hasOwn(SHORT, short)) history.replaceState(null, "", SHORT[short](decode(id)));
  const params = new URLSearchParams(location.search);
  const [, first = "", second = ""] = location.pathname.split("/");
  const page = Object.hasOwn(PAGES, first) ? PAGES[first] : "missing";
  return { page, name: decode(second), params, path: location.pathname };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
