/** The pages of what nodes should be, and the counts that they share. */
import { html } from "../html.js";
import { fleetPath } from "../router.js";

const TABS = [["/profiles", "Profiles"], ["/rollouts", "Rollouts"], ["/drift", "Drift"]];
const SHOWN = [["in_sync", "in sync", "in-sync"], ["applying", "applying", "applying"], ["pending", "pending", "pending"], ["waiting", "waiting for their window", "waiting"],
  ["failed", "failed", "failed"], ["unable", "unable", "unable"]];

export function Tabs({ here }) {
  return html`<nav class="segments" aria-label="Configuration">${TABS.map(([path, title]) => html`<a key=${path} href=${path}
    aria-current=${path === here ? "page" : undefined}>${title}</a>`)}</nav>`;
}

/**
 * Nodes by where they stand: a bar, and the words and numbers that say the same.
 *
 * @param {{counts: Record<string, number>, query?: string, label: string}} given `query`: whose nodes
 *   these are, for the links to their sites
 */
export function DeliveryCounts({ counts, query = "", label }) {
  const known = SHOWN.filter(([key]) => counts[key]);
  const total = SHOWN.reduce((sum, [key]) => sum + (counts[key] ?? 0), 0);
  if (!total) return html`<span class="quiet">no node</span>`;
  const link = (word) => fleetPath(`config=${word}${query && ` ${query}`}`);
  return html`<span class="delivery"><span class="delivery-bar" role="img" aria-label=${`${label}: ${known
      .map(([key, word]) => `${counts[key]} ${word}`).join(", ")}`}>${known.map(([key]) => html`<span key=${key}
      class=${key} style=${{ flexGrow: counts[key] }} />`)}</span>
    <span class="delivery-words">${known.map(([key, word, state]) => html`<a key=${key}
      href=${link(state)}>${counts[key].toLocaleString("en")} ${word}</a> `)}
      ${counts.held > 0 && html`<span>${counts.held.toLocaleString("en")} held</span> `}
      ${counts.pending_reboot > 0 && html`<a href=${fleetPath(`pending-reboot=true${query && ` ${query}`}`)}>${counts.pending_reboot.toLocaleString("en")} wait for a reboot</a> `}
      ${counts.drifted > 0 && html`<a href="/drift">${counts.drifted.toLocaleString("en")} drifted</a>`}</span></span>`;
}
