/** One node: presence, paths, outbox, inventory and what changed in it. */
import { html, useEffect, useState } from "../html.js";
import { useFetched } from "../fetched.js";
import { AlarmsHere } from "../alarms/here.js";
import { watchSite } from "../live/client.js";
import { quoted, sitePath } from "../router.js";
import { PATH_STATES, PRESENCES, StateChip } from "../status.js";
import { Age, Time } from "../time.js";
import { Failure } from "../shell/failure.js";
import { Board } from "./board.js";
import { Changes } from "./changes.js";
import { Desired } from "./desired.js";
import { bytes, duration, loss, roundTrip } from "./humanise.js";
import { Host } from "./host.js";
import { Identity, QuarantineNote } from "./identity.js";
import { Inventory } from "./inventory.js";
import { Orders } from "./orders.js";
import { Processes } from "./processes.js";
import { Samples } from "./samples.js";
import { Sensors } from "./sensors.js";

const STALE_BEATS = 3; // intervals after which a value no longer stands for the present
const SKEW_MS = 2_000; // of a node's clock; more is marked

export function NodePage({ route }) {
  const name = route.name;
  const { value, error, reload } = useFetched(`/nodes/${encodeURIComponent(name)}`);
  const [newer, setNewer] = useState(null);
  const site = value?.site;
  useEffect(() => setNewer(null), [value]);
  useEffect(() => (site ? watchSite(site, (node) => node.node === name && setNewer(node)) : undefined),
    [site, name]);
  if (error && !value) return html`<${Failure} error=${error} what=${`node ${name}`} onRetry=${reload} />`;
  if (!value) return html`<main id="main" class="page"><h1>${name}</h1>
    <p class="empty">Reading…</p></main>`;
  const node = newer ?? value;
  const staleMs = (node.interval_s ?? 30) * 1000 * STALE_BEATS;
  return html`<main id="main" class="page">
    <header class="page-head">
      <p class="crumb"><a href="/">Fleet</a> / <a href=${sitePath(node.site)}>${node.site}</a> / node</p>
      <h1>${node.name} <span class="big"><${StateChip} states=${PRESENCES} name=${node.presence} />
        </span></h1>
      <${Facts} node=${node} staleMs=${staleMs} />
      <${QuarantineNote} held=${node.quarantine} />
    </header>
    <${AlarmsHere} filter=${`node=${quoted(name)}`} concerns=${(alarm) => alarm.node === name} />
    <${Host} node=${name} revision=${node.heard} />
    <div class="columns">
      <section><h2>Paths</h2><${Paths} paths=${node.paths} staleMs=${staleMs} /></section>
      <section><h2>Outbox <small>kept on the node until receipted</small></h2>
        <${Outbox} outbox=${node.outbox} /></section>
    </div>
    <${Processes} node=${name} revision=${node.heard} />
    <${Board} node=${name} revision=${node.heard} />
    <${Sensors} node=${name} revision=${node.heard} />
    <${Samples} key=${name} node=${name} />
    <${Orders} node=${name} revision=${node.heard} />
    <${Desired} node=${name} revision=${JSON.stringify(node.config ?? null)} />
    <${Identity} node=${node} />
    <${Changes} node=${name} revision=${node.inventory?.digest} />
    <section><h2>Inventory</h2><${Inventory} node=${name} revision=${node.inventory?.digest} />
      </section>
    <p class="as-cli"><code>roost node inventory ${name}</code></p>
  </main>`;
}

function Facts({ node, staleMs }) {
  const skew = node.clock_skew_ms;
  return html`<dl class="facts">
    <div><dt>Presence since</dt><dd><${Time} at=${node.presence_since} /></dd></div>
    <div><dt>Heard</dt><dd>
      <${Age} at=${node.heard} staleMs=${staleMs} suffix=" ago" />${node.via && html` <small>via ${node.via}</small>`}</dd></div>
    <div><dt>Beats every</dt><dd>${node.interval_s ? `${node.interval_s} s` : "–"}</dd></div>
    <div><dt>Up</dt><dd>${node.uptime_s === null ? "–" : duration(node.uptime_s)}</dd></div>
    <div><dt>Agent</dt><dd>${node.agent ?? "–"}</dd></div>
    <div><dt>Clock</dt><dd class=${Math.abs(skew ?? 0) > SKEW_MS ? "tone-degraded" : ""}>
      ${skew === null || skew === undefined ? "–" : `${skew > 0 ? "+" : ""}${skew} ms`}</dd></div>
    ${Object.keys(node.labels ?? {}).length > 0 && html`<div><dt>Labels of its own</dt><dd>${Object.entries(node.labels)
    .map(([key, value]) => `${key}=${value}`).join(" ")}</dd></div>`}
    <div><dt>Boot</dt><dd class="code" title=${node.boot_id}>${node.boot_id?.slice(0, 8) ?? "–"}</dd></div>
  </dl>`;
}

function Paths({ paths, staleMs }) {
  if (!paths.length) return html`<p class="empty">No path is known yet.</p>`;
  return html`<div class="scroll"><table class="plain stack"><thead><tr><th>Path</th><th>Kind</th>
    <th>State</th>
    <th>Since</th><th class="number">Round trip</th><th class="number">Loss</th><th>Heard</th></tr>
      </thead>
    <tbody>${paths.map((path) => html`<tr key=${path.path}><th scope="row">${path.path}</th>
      <td data-title="Kind">${path.kind}</td>
      <td data-title="State"><${StateChip} states=${PATH_STATES} name=${path.state} /></td>
      <td data-title="Since"><${Time} at=${path.since} /></td>
      <td class="number" data-title="Round trip">${roundTrip(path.rtt_us)}</td>
        <td class="number" data-title="Loss">${loss(path.loss_permille)}</td>
      <td data-title="Heard"><${Age} at=${path.heard} staleMs=${staleMs} /></td></tr>`)}</tbody></table></div>`;
}

function Outbox({ outbox }) {
  const lanes = Object.entries(outbox ?? {});
  if (!lanes.length) return html`<p class="empty">Not told yet.</p>`;
  return html`<div class="scroll"><table class="plain stack"><thead><tr><th>Lane</th>
    <th class="number">Waiting</th><th class="number">Size</th><th class="number">Dropped</th></tr>
    </thead>
    <tbody>${lanes.map(([lane, at]) => html`<tr key=${lane}><th scope="row">${lane}</th>
      <td class="number" data-title="Waiting">${at.waiting_items ?? "–"}</td>
      <td class="number" data-title="Size">${at.waiting_bytes === undefined ? "–" : bytes(at.waiting_bytes)}</td>
      <td class=${`number ${at.dropped ? "tone-down" : ""}`} data-title="Dropped">${at.dropped ?? "–"}</td>
        </tr>`)}</tbody></table></div>`;
}
