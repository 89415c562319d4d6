/** Settings that are not as their nodes were told: what each is, and the two ways out. */
import { html, useState } from "../html.js";
import { request } from "../api.js";
import { usePages } from "../fetched.js";
import { nodePath, setParams } from "../router.js";
import { Tabs } from "../profiles/tabs.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { Time } from "../time.js";
import { Adopt } from "./adopt.js";

export function DriftPage({ route }) {
  const site = route.params.get("site") ?? "";
  const { items, error, reload, older } = usePages("/drift", site ? { site } : {});
  const [asked, setAsked] = useState(null);
  const [said, setSaid] = useState("");
  const reapply = async (values) => {
    await request(`/nodes/${encodeURIComponent(asked)}/desired:reapply`, { method: "POST", body: { reason: values.reason } });
    setSaid(`${asked} is told again what it should be, once it is heard.`);
    setAsked(null);
    reload();
  };
  const done = (text) => {
    setSaid(text);
    reload();
  };
  return html`<main id="main" class="page"><h1>Drift</h1><${Tabs} here="/drift" />
    <p>Settings that other hands changed, by each node's last report. Apply what the profiles say again, or adopt what the node has.</p>
    <div class="toolbar"><label>Site <input type="search" value=${site} name="site"
      onChange=${(event) => setParams({ site: event.target.value.trim() })} /></label>
      <button type="button" onClick=${reload}>Read again</button></div>
    <p class="said" role="status">${said}</p>
    <${Problem} error=${error} />
    ${!items ? !error && html`<p class="empty">Reading…</p>` : html`<${Rows} rows=${items} onReapply=${setAsked} onDone=${done} />`}
    ${older && html`<div class="toolbar"><button type="button" onClick=${older}>More</button></div>`}
    <${CopyLine} text=${`roost drift list${site && ` --site ${site}`}`} />
    ${asked && html`<${AskDialog} title=${`Apply again on ${asked}`} button="Apply again" onSend=${reapply} onClose=${() => setAsked(null)}
      hint="The node is told its settings again, and undoes what other hands changed." fields=${[{ name: "reason", label: "Reason" }]} />`}</main>`;
}

function Rows({ rows, onReapply, onDone }) {
  if (!rows.length) return html`<p class="empty">No node tells of a setting that differs.</p>`;
  return html`<div class="scroll"><table class="plain stack drift"><thead><tr><th>Node</th><th>Setting</th><th>Should be</th>
    <th>Is</th><th>Seen</th><th><span class="hidden">Do</span></th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${`${row.node} ${row.setting}`}><th scope="row"><a href=${nodePath(row.node)}>${row.node}</a></th>
      <td class="code" data-title="Setting">${row.setting}</td><td class="code" data-title="Should be">${row.wanted || "not set"}</td>
      <td class="code" data-title="Is">${row.found || "not set"}</td><td data-title="Seen"><${Time} at=${row.at} /></td>
      <td><button type="button" aria-label=${`Apply again on ${row.node}`} onClick=${() => onReapply(row.node)}>Apply again</button>
        <${Adopt} node=${row.node} setting=${row.setting} onDone=${onDone} /></td></tr>`)}</tbody></table></div>`;
}
