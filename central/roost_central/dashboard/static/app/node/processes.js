/** The processes that a node watches, as it said them last; nothing where it watches none. */
import { html } from "../html.js";
import { useFetched } from "../fetched.js";
import { CopyLine } from "../shell/copy.js";
import { PROCESS_STATES, StateChip } from "../status.js";
import { Age, Time } from "../time.js";

const STALE_MS = 3_600_000; // a node that watches any tells them every half hour

/** @param {{node: string, revision: any}} given `revision`: asks again when it changes */
export function Processes({ node, revision }) {
  const { value } = useFetched(`/nodes/${encodeURIComponent(node)}/processes`, revision);
  if (!value?.as_of) return null;
  const degrade = Object.entries(value.degrade);
  return html`<section class="processes"><h2>Processes <small>told <${Age} at=${value.as_of} staleMs=${STALE_MS} suffix=" ago" /></small></h2>
    ${degrade.map(([reason, worst]) => html`<p key=${reason} class="problem">The node is degraded: a ${reason} has failed, ${worst}.</p>`)}
    ${value.faults.map((fault) => html`<p key=${fault} class="problem">${fault}</p>`)}
    ${value.processes.length ? html`<${Rows} rows=${value.processes} />`
    : html`<p class="empty">None of its files could be taken.</p>`}
    <${CopyLine} text=${`roost host processes ${node}`} /></section>`;
}

function Rows({ rows }) {
  return html`<div class="scroll"><table class="plain stack"><thead><tr><th>Process</th><th>State</th>
    <th>Mode</th><th>Since</th><th>Once failed</th><th class="number">Restarts</th><th class="number">Pid</th><th>Why</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.process}><th scope="row" class="code">${row.process}</th>
      <td data-title="State"><${StateChip} states=${PROCESS_STATES} name=${row.state} /></td>
      <td data-title="Mode">${row.mode}</td>
      <td data-title="Since"><${Time} at=${row.since} /></td>
      <td data-title="Once failed">${row.severity}</td>
      <td data-title="Restarts" class="number">${row.restarts}</td>
      <td data-title="Pid" class="number">${row.pid ?? "–"}</td>
      <td data-title="Why">${row.reason || "–"}</td></tr>`)}</tbody></table></div>`;
}
