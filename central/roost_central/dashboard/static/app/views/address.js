/** A saved view as an address of this console, and an address as what a view keeps. */

const PATHS = { fleet: "/", alarms: "/alarms", incidents: "/incidents", events: "/events", inventory: "/inventory",
  hosts: "/hosts", drift: "/drift" };

/** @param {{page: string, query: string}} view @returns {string} */
export const viewAddress = ({ page, query }) => `${PATHS[page] ?? "/"}${query && `?${query}`}`;

/**
 * What a view would keep of a route: no drawer, for the alarm in it will be over.
 * @param {import("../router.js").Route} route
 * @returns {{page: string, query: string}|null} null where the page is of one thing, or has no view
 */
export function viewOf({ page, name, params }) {
  if (!Object.hasOwn(PATHS, page) || name) return null;
  const kept = new URLSearchParams(params);
  kept.delete("show");
  return { page, query: kept.toString() };
}

export const linkOf = (view) => `${location.origin}${view.link}`;
