/** One site: its state and how it is known, paths by node, nodes, and what happened. */
import { html, useEffect, useState } from "../html.js";
import { queryString } from "../api.js";
import { useFetched } from "../fetched.js";
import { watchSite } from "../live/client.js";
import { EventList } from "../events/list.js";
import { AlarmsHere } from "../alarms/here.js";
import { fleetPath, nodePath, quoted } from "../router.js";
import { PRESENCES, SITE_STATES, SITE_STATE_BY_NAME, StateChip } from "../status.js";
import { Age, Time, ageText } from "../time.js";
import { Failure } from "../shell/failure.js";
import { HaSection } from "./ha.js";
import { Standing } from "./standing.js";
import { PathMatrix } from "./matrix.js";
import { TopologySection } from "./topology.js";

const STALE_MS = 90_000;
const EVENTS = 50; // of the newest; the events page has the rest

export function SitePage({ route, model }) {
  const name = route.name;
  const { value, error, reload } = useFetched(`/sites/${encodeURIComponent(name)}`);
  const events = useFetched(`/events${queryString({ filter: `site=${quoted(name)}`, limit: EVENTS })}`);
  const nodes = useLiveNodes(name, value?.node_list);
  const status = useLiveStatus(model, name) ?? value?.status;
  useEffect(() => {
    if (value && status !== value.status) reload(); // its since and via have changed as well
  }, [status]);
  if (error && !value) return html`<${Failure} error=${error} what=${`site ${name}`} onRetry=${reload} />`;
  if (!value) return html`<main id="main" class="page"><h1>${name}</h1>
    <p class="empty">Reading…</p></main>`;
  const last = nodes.filter((node) => node.heard).sort((a, b) => (a.heard < b.heard ? 1 : -1))[0];
  return html`<main id="main" class="page">
    <header class="page-head">
      <p class="crumb"><a href="/">Fleet</a> / site</p>
      <h1>${name} <span class="big"><${StateChip} states=${SITE_STATE_BY_NAME} name=${status} />
        </span></h1>
      <dl class="facts">
        <div><dt>Status since</dt><dd><${Time} at=${value.status_since} /></dd></div>
        <div><dt>As of</dt><dd>${last ? html`<${Time} at=${last.heard} /> <small>(<${Age} at=${last.heard}
          staleMs=${STALE_MS} suffix=" ago" />)</small>` : html`<span class="never">never heard</span>`}</dd></div>
        <div><dt>Via</dt><dd>${last?.via ?? value.via ?? "–"}</dd></div>
        <div><dt>Reached</dt><dd>${value.availability}</dd></div>
        <div><dt>Place</dt><dd>${placeText(value)}</dd></div>
        <div><dt>Settings</dt><dd>${settingsFact(name, nodes)}</dd></div>
        <div><dt>Shard</dt><dd>${value.shard}</dd></div>
      </dl>
      <${Labels} labels=${value.labels} />
      <${Standing} value=${value} onChange=${reload} />
    </header>
    <${AlarmsHere} filter=${`site=${quoted(name)}`} concerns=${(alarm) => alarm.site === name} hasNode />
    <section><h2>Nodes <small>${nodes.length}</small></h2><${NodeTable} nodes=${nodes} /></section>
    <${HaSection} site=${name} asOf=${haAsOf(nodes)} />
    <section><h2>Paths</h2><${PathMatrix} nodes=${nodes} /></section>
    <${TopologySection} site=${name} asOf=${inventoryAsOf(nodes)} />
    <section><h2>Events <small>newest first</small></h2>
      <${EventList} items=${events.value?.items} error=${events.error} site=${name} />
      <p><a href=${`/events?q=${encodeURIComponent(`site=${quoted(name)}`)}`}>All events of this site</a></p></section>
    <p class="as-cli"><code>roost site show ${name}</code></p>
  </main>`;
}

/** Another one once a node told something new of local HA. */
const haAsOf = (nodes) => nodes.map((node) => node.ha_as_of ?? "").join();

/** Another one once a node told what it is made of now. */
const inventoryAsOf = (nodes) => nodes.map((node) => node.inventory?.gen ?? "").join();

function placeText({ lat, lon }) {
  return lat === null || lon === null || lat === undefined ? "–" : `${lat.toFixed(4)}, ${lon.toFixed(4)}`;
}

/** Labels are links: one click asks who shares it. */
function Labels({ labels }) {
  const all = Object.entries(labels ?? {});
  if (!all.length) return html`<p class="quiet">no labels</p>`;
  return html`<ul class="labels" aria-label="Labels">${all.map(([key, value]) => html`<li key=${key}>
    <a href=${fleetPath(`label.${key}=${quoted(value)}`)} title="sites with this label">
      <span>${key}</span>${value}</a></li>`)}</ul>`;
}

function NodeTable({ nodes }) {
  return html`<div class="scroll"><table class="plain stack nodes-list"><thead><tr><th>Node</th><th>Presence</th>
    <th>Heard</th>
    <th>Via</th><th>Agent</th><th>Up</th><th>Inventory</th><th>Settings</th></tr></thead>
    <tbody>${nodes.map((node) => html`<tr key=${node.node}>
      <th scope="row"><a href=${nodePath(node.node)}>${node.name}</a></th>
      <td data-title="Presence"><${StateChip} states=${PRESENCES} name=${node.presence} />${node.quarantine
        && html` <small class="tone-degraded">in quarantine</small>`}</td>
      <td data-title="Heard"><${Age} at=${node.heard} staleMs=${STALE_MS} /></td>
      <td data-title="Via">${node.via ?? "–"}</td><td data-title="Agent">${node.agent ?? "–"}</td>
      <td data-title="Up">${node.uptime_s === null ? "–" : ageText(node.uptime_s)}</td>
      <td data-title="Inventory">${(node.inventory?.gen ?? null) === null ? html`<span class="never">none yet</span>`
    : html`generation ${node.inventory.gen}${node.inventory.behind ? " · behind" : ""}`}</td>
      <td data-title="Settings">${settingsText(node.config)}</td>
      </tr>`)}</tbody></table></div>`;
}

/** How far a node has come with what it should be, and what else there is to know of it. */
function settingsText(config) {
  if (!config || config.state === "none") return "–";
  const also = [config.held_by && "held", config.pending_reboot && "waits for a reboot", config.drift > 0 && `${config.drift} drifted`];
  return [config.state, ...also].filter(Boolean).join(" · ");
}

/** The site's nodes by where they stand, with the ways to the lists. */
function settingsFact(site, nodes) {
  const states = nodes.map((node) => node.config?.state).filter((state) => state && state !== "none");
  if (!states.length) return html`<span class="quiet">no profile</span>`;
  const good = states.filter((state) => state === "in-sync").length;
  const drifted = nodes.some((node) => node.config?.drift > 0);
  return html`${good} of ${states.length} in sync${drifted && html` · <a href=${`/drift?site=${encodeURIComponent(site)}`}>drift</a>`}`;
}

/** The nodes of the answer, each replaced as the stream brings a newer one. */
function useLiveNodes(site, listed) {
  const [newer, setNewer] = useState({});
  useEffect(() => setNewer({}), [site, listed]);
  useEffect(() => watchSite(site, (node) => setNewer((old) => ({ ...old, [node.node]: node }))), [site]);
  const nodes = (listed ?? []).map((node) => newer[node.node] ?? node);
  const added = Object.values(newer).filter((node) => !nodes.includes(node));
  return [...nodes, ...added];
}

/** The status that the fleet's frames tell, null while the site is not among them. */
function useLiveStatus(model, site) {
  const [, redraw] = useState(0);
  useEffect(() => model.subscribe((touched) => {
    const position = model.bySite.get(site);
    if (touched === null || touched.includes(position)) redraw((n) => n + 1);
  }), [model, site]);
  const position = model.bySite.get(site);
  return position === undefined ? null : SITE_STATES[model.codes[position]].name;
}
