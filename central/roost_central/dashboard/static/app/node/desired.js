/** What a node should be: every setting with the profile that says so. */
import { html, useState } from "../html.js";
import { request } from "../api.js";
import { useFetched } from "../fetched.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { Time } from "../time.js";

const WORDS = {
  none: "no profile is for it", unable: "its agent takes no settings", "in-sync": "it has them", failed: "it has them not",
  pending: "its turn has not come, or it is not heard", applying: "it was told", waiting: "it waits for its window",
};

/** @param {{node: string, revision?: any}} given `revision` is another whenever the node told something new of them */
export function Desired({ node, revision }) {
  const { value, error, reload } = useFetched(`/nodes/${encodeURIComponent(node)}/desired`, revision);
  const [isAsked, setAsked] = useState(false);
  const reapply = async (values) => {
    await request(`/nodes/${encodeURIComponent(node)}/desired:reapply`, { method: "POST", body: { reason: values.reason } });
    setAsked(false);
    reload();
  };
  return html`<section class="desired"><h2>Desired settings <small>compiled from profiles</small></h2>
    ${error && !value ? html`<${Problem} error=${error} />` : !value ? html`<p class="empty">Reading…</p>`
    : html`<${Answer} value=${value} />
      ${value.generation > 0 && html`<div class="toolbar"><button type="button" onClick=${() => setAsked(true)}>Apply again</button></div>`}`}
    ${isAsked && html`<${AskDialog} title=${`Apply again on ${node}`} button="Apply again" onSend=${reapply} onClose=${() => setAsked(false)}
      hint="The node is told its settings again, also where it failed or other hands changed them." fields=${[{ name: "reason", label: "Reason" }]} />`}
    <${CopyLine} text=${`roost node desired ${node}`} /></section>`;
}

function Answer({ value }) {
  return html`${value.fault && html`<p class="problem">It keeps what stands here, for its profiles cannot be followed:
      ${" "}${value.fault}</p>`}
    ${value.generation === 0 ? html`<p class="empty">No <a href="/profiles">profile</a> is for this node.</p>`
    : html`<p>Generation ${value.generation} since <${Time} at=${value.since} />, by ${value.by}${value.reason && `: ${value.reason}`}</p>
      ${value.reported && html`<${Reported} said=${value.reported} />`}
      <${Settings} rows=${value.settings} />`}`;
}

/** What the node is, beside what it should be. */
function Reported({ said }) {
  return html`<dl class="facts reported"><div><dt>State</dt><dd><strong>${said.config}</strong>: ${said.why || WORDS[said.config]}</dd></div>
      <div><dt>Has</dt><dd>${said.applied_generation === null ? "–" : said.applied_generation === 0 ? "no settings yet" : `generation ${said.applied_generation}`}</dd></div>
      ${said.told && html`<div><dt>Told</dt><dd><${Time} at=${said.told} /></dd></div>`}
      ${said.held_by && html`<div><dt>Held by</dt><dd><a href=${`/rollouts/${encodeURIComponent(said.held_by)}`}>rollout ${said.held_by}</a></dd></div>`}
      ${said.pending_reboot && html`<div><dt>Reboot</dt><dd>a setting waits for one</dd></div>`}
      ${said.drift > 0 && html`<div><dt>Drift</dt><dd>${said.drift} changed by other hands</dd></div>`}</dl>
    ${said.report && html`<${Report} report=${said.report} />`}`;
}

function Report({ report }) {
  const told = report.sections.filter((each) => each.reason);
  return html`<p>It said <${Time} at=${report.received} />: generation ${report.generation} ${report.state}${report.text && `, ${report.text}`}</p>
    ${told.length > 0 && html`<ul class="told">${told.map((each) => html`<li key=${each.section}>
      <span class="code">${each.section}</span> ${each.state}: ${each.reason}</li>`)}</ul>`}`;
}

function Settings({ rows }) {
  if (!rows.length) return html`<p class="empty">Its profiles say nothing any more.</p>`;
  return html`<div class="scroll"><table class="plain stack"><thead><tr><th>Setting</th><th>Should be</th><th>Is</th>
    <th>Profile</th><th>A change takes</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.path}><th scope="row" class="code">${row.path}</th>
      <td class="code" data-title="Should be">${JSON.stringify(row.value)}</td>
      <td class="code" data-title="Is">${row.found === null || row.found === undefined ? "" : row.found || "not set"}</td><td data-title="Profile">${row.profile}</td>
      <td data-title="A change takes">${row.mark}</td></tr>`)}</tbody></table></div>`;
}
