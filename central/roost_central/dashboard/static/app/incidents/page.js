/** Incidents: many alarms that are one thing. The list here; one in incident.js. */
import { html } from "../html.js";
import { alarmCounts } from "../alarms/counts.js";
import { useFetched } from "../fetched.js";
import { incidentPath, setParams } from "../router.js";
import { CopyLine } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { SEVERITIES, StateChip } from "../status.js";
import { useStore } from "../store.js";
import { Age, ageText, Time } from "../time.js";
import { IncidentPage } from "./incident.js";

const VIEWS = [["open", "Open"], ["closed", "Closed"], ["all", "All"]];

export function IncidentsPage({ route }) {
  return route.name ? html`<${IncidentPage} key=${route.name} id=${route.name} />`
    : html`<${IncidentList} state=${route.params.get("state") ?? "open"} />`;
}

function IncidentList({ state }) {
  const seq = useStore(alarmCounts)?.seq;
  const { value, error } = useFetched(`/incidents?state=${encodeURIComponent(state)}`, seq);
  return html`<main id="main" class="page"><h1>Incidents</h1>
    <div class="segments" role="group" aria-label="Which">${VIEWS.map(([key, title]) => html`<button
      type="button" key=${key} aria-pressed=${state === key}
      onClick=${() => setParams({ state: key === "open" ? "" : key })}>${title}</button>`)}</div>
    ${error && !value ? html`<${Problem} error=${error} />` : !value ? html`<p class="empty">Reading…</p>`
    : html`<${Table} items=${value.items} state=${state} />`}
    <${CopyLine} text=${`roost incident list${state === "open" ? "" : ` --state ${state}`}`} /></main>`;
}

function Table({ items, state }) {
  if (!items.length) {
    return html`<div class="empty"><p>${state === "open" ? "No incident is open." : "There is none."} A storm of alarms makes one.</p>
      <pre>roost incident list --state all</pre></div>`;
  }
  return html`<div class="scroll"><table class="plain stack"><thead><tr><th>Incident</th><th>Severity</th><th>State</th>
    <th>Likely cause</th><th class="number">Sites</th><th class="number">Back</th>
    <th class="number">Not explained</th><th>Opened</th><th>Lasted</th></tr></thead>
    <tbody>${items.map((incident) => html`<tr key=${incident.id}>
      <th scope="row"><a href=${incidentPath(incident.id)}>${incident.id}</a> <small>${incident.name}</small></th>
      <td data-title="Severity"><${StateChip} states=${SEVERITIES} name=${incident.severity} /></td>
      <td data-title="State">${incident.state}${incident.ack && html` <small>acked by ${incident.ack.by}</small>`}</td>
      <td data-title="Likely cause">${incident.cause || html`<span class="quiet">not found</span>`}</td>
      <td class="number" data-title="Sites">${incident.sites.toLocaleString("en")}</td>
      <td class="number" data-title="Back">${incident.recovered.toLocaleString("en")}</td>
      <td class=${`number ${incident.unexplained ? "tone-degraded" : ""}`} data-title="Not explained">${incident.unexplained}</td>
      <td data-title="Opened"><${Time} at=${incident.opened} /></td>
      <td data-title="Lasted">${incident.closed ? ageText((Date.parse(incident.closed) - Date.parse(incident.opened)) / 1000)
    : html`<${Age} at=${incident.opened} />`}</td></tr>`)}</tbody></table></div>`;
}
