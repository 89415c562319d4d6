/** Who did what: the audit log, newest first, and where its chain ends. */
import { html } from "../html.js";
import { useFetched, usePages } from "../fetched.js";
import { navigate, setParams } from "../router.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { timeText } from "../time.js";
import { prefs } from "../prefs.js";
import { useStore } from "../store.js";

export function AuditPage({ route }) {
  const actor = route.params.get("actor") ?? "";
  const action = route.params.get("action") ?? "";
  const pages = usePages("/audit", { actor, action });
  const head = useFetched("/audit/head", pages.first);
  const { clock } = useStore(prefs);
  const filter = (event) => {
    event.preventDefault();
    const { elements } = event.currentTarget;
    setParams({ actor: elements.actor.value.trim(), action: elements.action.value.trim() });
  };
  return html`<main id="main" class="page"><h1>Audit</h1>
    <form class="toolbar audit-filter" key=${`${actor} ${action}`} onSubmit=${filter}>
      <label>Actor <input name="actor" defaultValue=${actor} autocomplete="off" spellcheck=${false} /></label>
      <label>Action <input name="action" defaultValue=${action} placeholder="alarm, site.put" autocomplete="off"
        spellcheck=${false} /></label>
      <button type="submit">Show</button>
      ${(actor || action) && html`<button type="button" onClick=${() => navigate("/audit")}>Show all</button>`}
      <button type="button" onClick=${pages.reload}>Read again</button></form>
    ${pages.error && !pages.items ? html`<${Problem} error=${pages.error} />`
      : !pages.items ? html`<p class="empty">Reading…</p>`
      : html`<${Acts} rows=${pages.items} clock=${clock} />`}
    ${pages.older && html`<p><button type="button" onClick=${pages.older}>Older</button></p>`}
    ${head.value && html`<p class="chain">The chain ends at row ${head.value.head.seq} with${" "}
      <code class="secret">${head.value.head.hash}</code>. Whoever keeps that elsewhere can show later that nothing before
      it was changed.</p>`}
    <${CopyLine} text=${line(actor, action)} /><${CopyLine} text="roost audit verify" /></main>`;
}

function Acts({ rows, clock }) {
  if (!rows.length) return html`<p class="empty">Nothing was done that matches.</p>`;
  return html`<div class="scroll"><table class="plain audit stack"><thead><tr><th>When</th><th>Actor</th><th>Action</th>
    <th>Object</th><th>Reason</th><th>From</th><th>Detail</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.seq} class=${row.outcome === "refused" ? "refused" : ""}>
      <th scope="row">${timeText(row.at_ms, clock)}</th>
      <td data-title="Actor">${row.actor}${" "}<small>${row.role} ${row.via}</small></td>
      <td data-title="Action">${row.action}${row.outcome === "refused" && html` <strong>refused</strong>`}</td>
      <td data-title="Object">${row.object || "–"}</td><td data-title="Reason">${row.reason || "–"}</td>
      <td data-title="From">${row.source || "–"}</td>
      <td data-title="Detail"><details><summary>row ${row.seq}</summary><pre class="code">${told(row)}</pre></details></td>
    </tr>`)}</tbody></table></div>`;
}

function told(row) {
  const { detail, request_id: request, before, after, hash } = row;
  return JSON.stringify({ detail, request, before, after, hash }, null, 2);
}

function line(actor, action) {
  const flags = [actor && ` --actor ${shellWord(actor)}`, action && ` --action ${shellWord(action)}`];
  return `roost audit list${flags.filter(Boolean).join("")}`;
}
