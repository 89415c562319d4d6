/** The counts of all sites by status: disjoint, adding up, and each a filter. */
import { html, useEffect, useReducer } from "../html.js";
import { SITE_STATES, Shape } from "../status.js";
import { fleetPath } from "../router.js";

const ORDER = ["down", "unknown", "degraded", "maintenance", "ok"]; // what needs a look comes first
const STATES = ORDER.map((name) => SITE_STATES.find((state) => state.name === name));

export function Banner({ model, q }) {
  const [, redraw] = useReducer((n) => n + 1, 0);
  useEffect(() => model.subscribe(redraw), [model]);
  if (!model.loaded) return html`<div class="banner"></div>`;
  return html`<nav class="banner" aria-label="Sites by status">
    ${STATES.map((state) => {
    const count = model.counts[SITE_STATES.indexOf(state)];
    const filter = `status=${state.name}`;
    return html`<a key=${state.name} class=${`count tone-${state.tone} ${count ? "" : "none"}`}
        href=${fleetPath(q === filter ? "" : filter)} aria-label=${`${count} ${state.name}`} aria-current=${q === filter ? "true" : undefined}>
      <${Shape} state=${state} /><span class="letter" aria-hidden="true">${state.letter}</span>
      <b>${count.toLocaleString("en")}</b> <span class="word">${state.name}</span></a>`;
  })}
    <a class="count total" href="/">
      <b>${model.size.toLocaleString("en")}</b> <span class="word">sites</span></a>
  </nav>`;
}
