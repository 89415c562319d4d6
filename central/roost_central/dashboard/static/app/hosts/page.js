/** All hosts: found by state, by reason, or by any query. */
import { html } from "../html.js";
import { usePages } from "../fetched.js";
import { QueryBox } from "../fleet/querybox.js";
import { nodePath } from "../router.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { HOST_STATES, StateChip } from "../status.js";
import { Age } from "../time.js";

const BY_STATE = [["", "all"], ["avail!=available", "not well"], ["admin=locked", "locked"], ["avail=failed", "failed"], ["avail=degraded", "degraded"], ["avail=intest", "being enabled"],
  ["avail=offline,power-off", "offline"], ["oper=unknown", "unknown"], ["maintenance=true", "in maintenance"]];
const BY_REASON = ["process", "health", "resource", "sensor", "storage", "clock", "service", "config", "heartbeat-ha", "agent", "alarm"];

export function HostsPage({ route }) {
  const q = route.params.get("q") ?? "";
  const { items, error, reload, older } = usePages("/hosts", q ? { filter: q } : {});
  return html`<main id="main" class="page"><h1>Hosts</h1>
    <p>What each site's coordinator says of its hosts: locked or not, whether they serve, and why not.</p>
    <nav class="host-filters" aria-label="By state">${BY_STATE.map(([query, title]) => html`<${Pick} key=${title} query=${query} title=${title} q=${q} />`)}</nav>
    <nav class="host-filters" aria-label="Degraded by">${BY_REASON.map((reason) => html`<${Pick} key=${reason} query=${`degrade=${reason}`} title=${reason} q=${q} />`)}</nav>
    <div class="toolbar"><${QueryBox} value=${q} onText=${() => undefined} error=${error?.errors?.[0] ? { message: error.message, ...error.errors[0] } : error}
      placeholder="avail=failed region:r0*" summary=${items && `${items.length.toLocaleString("en")}${older ? " or more" : ""} shown`} />
      <button type="button" onClick=${reload}>Read again</button></div>
    ${!items ? !error && html`<p class="empty">Reading…</p>` : html`<${Rows} rows=${items} />`}
    ${older && html`<div class="toolbar"><button type="button" onClick=${older}>More</button></div>`}
    <${CopyLine} text=${`roost host list${q && ` -q ${shellWord(q)}`}`} /></main>`;
}

function Pick({ query, title, q }) {
  const address = query ? `/hosts?${new URLSearchParams({ q: query })}` : "/hosts";
  return html`<a href=${address} aria-current=${q === query ? "true" : undefined}>${title}</a>`;
}

function Rows({ rows }) {
  if (!rows.length) return html`<p class="empty">No host is so.</p>`;
  return html`<div class="scroll"><table class="plain stack hosts-list"><thead><tr><th>Host</th><th>State</th><th>Since</th><th>Degraded by</th>
    <th>Task or cause</th></tr></thead><tbody>${rows.map((row) => html`<tr key=${row.node}>
      <th scope="row"><a href=${nodePath(row.node)}>${row.node}</a></th>
      <td data-title="State">${row.admin === null ? html`<span class="quiet">nobody spoke of it yet</span>` : html`<${StateChip} states=${HOST_STATES} name=${row.avail} />${" "}
        <small>${row.admin}, ${row.oper}${row.maintenance_until && ", maintenance"}</small>`}</td>
      <td data-title="Since"><${Age} at=${row.since} /></td>
      <td data-title="Degraded by">${row.reasons.map((each) => each.reason).join(", ") || "–"}</td>
      <td data-title="Task or cause">${row.task || row.cause || "–"}</td></tr>`)}</tbody></table></div>`;
}
