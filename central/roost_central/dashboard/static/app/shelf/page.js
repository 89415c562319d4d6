/** What is out of the list on purpose: shelves with their end, suppressed types with their reason. */
import { html, useState } from "../html.js";
import { request } from "../api.js";
import { alarmCounts } from "../alarms/counts.js";
import { useFetched } from "../fetched.js";
import { alarmsPath } from "../router.js";
import { CopyLine } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { useStore } from "../store.js";
import { Age, Time } from "../time.js";
import { SuppressDialog } from "./suppress.js";

export function ShelfPage() {
  const seq = useStore(alarmCounts)?.seq;
  const [turn, setTurn] = useState(0);
  const revision = `${seq}.${turn}`;
  const shelves = useFetched("/shelves", revision);
  const suppressions = useFetched("/suppressions", revision);
  const types = useFetched("/alarm-types");
  const [isAsked, setAsked] = useState(false);
  const [said, setSaid] = useState("");
  const again = () => setTurn((n) => n + 1);
  const end = (kind) => async (row) => {
    try {
      await request(`/${kind}/${encodeURIComponent(row.id)}`, { method: "DELETE" });
      setSaid(`${row.id} has ended; its alarms are back in the list.`);
    } catch (error) {
      setSaid(`${row.id} was not ended: ${error.message}`);
    }
    again();
  };
  const offered = (types.value?.items ?? []).filter((row) => row.suppressible && !row.retired);
  return html`<main id="main" class="page"><h1>Shelf</h1><p class="said" role="status">${said}</p>
    <section><h2>Shelved <small>each comes back by itself</small></h2>
      <${Kept} fetched=${shelves} nothing="Nothing is shelved." line="roost alarm shelve KEY --for 2h -m REASON" onEnd=${end("shelves")} /></section>
    <section><h2>Suppressed types</h2>
      <${Kept} fetched=${suppressions} nothing="No type is suppressed." line="roost alarm suppress TYPE -m REASON" onEnd=${end("suppressions")} isTyped=${true} />
      <p><button type="button" disabled=${!offered.length} onClick=${() => setAsked(true)}>Suppress a type…</button></p></section>
    <${CopyLine} text="roost alarm list -q 'shelved=true OR suppressed=true'" />
    ${isAsked && html`<${SuppressDialog} type="" types=${offered} onClose=${() => setAsked(false)}
      onDone=${() => { setAsked(false); setSaid("The type is suppressed."); again(); }} />`}</main>`;
}

function Kept({ fetched: { value, error }, nothing, line, onEnd, isTyped = false }) {
  if (error && !value) return html`<${Problem} error=${error} />`;
  if (!value) return html`<p class="empty">Reading…</p>`;
  if (!value.items.length) return html`<div class="empty"><p>${nothing}</p><pre>${line}</pre></div>`;
  return html`<div class="scroll"><table class="plain stack"><thead><tr><th>${isTyped ? "Type" : "What"}</th>
    ${isTyped && html`<th>Only where</th>`}<th class="number">Alarms now</th><th>Reason</th><th>By</th><th>Since</th><th>Until</th>
    <th><span class="hidden">Do</span></th></tr></thead><tbody>${value.items.map((row) => html`<tr key=${row.id}>
      <th scope="row">${isTyped ? html`<span class="code">${row.type}</span>`
    : row.filter ? html`<a class="code" href=${alarmsPath(row.filter)}>${row.filter}</a>` : "single alarms"}</th>
      ${isTyped && html`<td class="code" data-title="Only where">${row.filter || "everywhere"}</td>`}
      <td class="number" data-title="Alarms now">${row.alarms.toLocaleString("en")}</td><td data-title="Reason">${row.reason}</td>
      <td data-title="By">${row.by}</td><td data-title="Since"><${Age} at=${row.at} suffix=" ago" /></td>
      <td data-title="Until">${row.until ? html`<${Time} at=${row.until} /> <small>in <${Age} at=${row.until} isAhead=${true} /></small>` : "ended by hand"}</td>
      <td><button type="button" onClick=${() => onEnd(row)}>End now</button></td></tr>`)}</tbody></table></div>`;
}
