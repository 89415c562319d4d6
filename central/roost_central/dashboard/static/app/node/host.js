/** One host: its state and why, what can be done to it, how it came there, and who heard it. */
import { html } from "../html.js";
import { useFetched } from "../fetched.js";
import { CopyLine } from "../shell/copy.js";
import { HOST_STATES, StateChip } from "../status.js";
import { Age, Time } from "../time.js";
import { HostActs } from "./host_acts.js";

const MOVES_SHOWN = 8; // the command line has the rest
const STALE_MS = 3_600_000; // a coordinator tells its hosts on change, and again within the hour

/** @param {{node: string, revision: any}} given `revision`: asks again when it changes */
export function Host({ node, revision }) {
  const path = `/nodes/${encodeURIComponent(node)}/host`;
  const { value, reload } = useFetched(path, revision);
  if (!value || value.admin === null) return null; // no coordinator of its site spoke of it
  const changed = `${value.since} ${value.avail} ${value.task}`;
  return html`<section class="host"><h2>Host <small>told <${Age} at=${value.as_of} staleMs=${STALE_MS} suffix=" ago" /> by${" "}
      ${value.coordinator}${value.epoch > 0 && `, epoch ${value.epoch}`}</small></h2>
    <p class="host-state"><span class="big"><${StateChip} states=${HOST_STATES} name=${value.avail} /></span>
      <span>${value.admin}, ${value.oper}</span>${value.task && html`<strong>${value.task}</strong>`}</p>
    <p>Since <${Time} at=${value.since} />: ${value.cause || "no cause was told"}</p>
    <${Notes} host=${value} />
    <${HostActs} node=${node} revision=${changed} onDone=${reload} />
    <${Moves} path=${path} revision=${changed} />
    <${Evidence} path=${path} revision=${changed} />
    <${CopyLine} text=${`roost host show ${node}`} /></section>`;
}

/** What else is to be known of it, a line each. */
function Notes({ host }) {
  const { last } = host;
  return html`<ul class="host-notes">
    ${last && html`<li>Nobody of its site is heard: it was ${last.admin}, ${last.oper}, ${last.avail}.</li>`}
    ${host.locked_by && html`<li>Locked by <strong>${host.locked_by}</strong>: ${host.locked_why}</li>`}
    ${host.reasons.map((each) => html`<li key=${each.reason}>Degraded by <strong>${each.reason}</strong> for <${Age} at=${each.since} /></li>`)}
    ${host.maintenance_until && html`<li>In maintenance until <${Time} at=${host.maintenance_until} />: nothing is done about it by itself.</li>`}
    ${host.is_mnfa && html`<li>Several nodes of the site are silent together: none of them is failed.</li>`}
    ${host.is_dead_office && html`<li>The whole site powered up a moment ago: none of its nodes is failed.</li>`}</ul>`;
}

function Moves({ path, revision }) {
  const { value } = useFetched(`${path}/history?limit=${MOVES_SHOWN}`, revision);
  if (!value?.items.length) return null;
  return html`<h3>Timeline</h3><div class="scroll"><table class="plain stack host-moves"><thead><tr><th>At</th><th>Is</th><th>Was</th>
    <th>Why</th></tr></thead><tbody>${value.items.map((move) => html`<tr key=${`${move.at} ${move.avail}`}>
      <th scope="row"><${Time} at=${move.at} /></th>
      <td data-title="Is"><${StateChip} states=${HOST_STATES} name=${move.avail} /> <small>${move.admin}, ${move.oper}</small></td>
      <td data-title="Was">${move.was ? `${move.was.admin}, ${move.was.oper}, ${move.was.avail}` : "–"}</td>
      <td data-title="Why">${move.cause || "–"}</td></tr>`)}</tbody></table></div>`;
}

function Evidence({ path, revision }) {
  const { value } = useFetched(`${path}/evidence`, revision);
  if (!value?.items.length) return null;
  return html`<details><summary>Who heard it lately, by the word of ${value.coordinator} (${value.items.length})</summary>
    <ul class="told">${value.items.map((each, at) => html`<li key=${at}><${Time} at=${each.at} /> ${each.path && html`<span
      class="code">${each.path}</span>`} ${each.text}</li>`)}</ul></details>`;
}
