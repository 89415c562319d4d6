/**
 * One incident: what it likely is, how sure that is, what else was looked at, what it does not
 * explain, and who is back. Closed, the same page is the post-mortem.
 */
import { html, useState } from "../html.js";
import { queryString, request } from "../api.js";
import { alarmCounts } from "../alarms/counts.js";
import { Export } from "../alarms/download.js";
import { AlarmRowsPlain } from "../alarms/here.js";
import { useFetched } from "../fetched.js";
import { alarmsPath, quoted, sitePath } from "../router.js";
import { CopyLine } from "../shell/copy.js";
import { AskDialog } from "../shell/ask.js";
import { Failure, Problem } from "../shell/failure.js";
import { Evidence } from "./evidence.js";
import { SEVERITIES, StateChip } from "../status.js";
import { useStore } from "../store.js";
import { Age, ageText, Time } from "../time.js";

const MEMBERS = 100; // the export and the alarm list have all
const UNEXPLAINED = 200;
const NAMES = 60; // of sites that did not come back, before "more"

const ASKS = {
  ack: { title: "Acknowledge", hint: "Its members are acknowledged too, also those to come.",
    fields: [{ name: "note", label: "Note (may be left out)" }] },
  note: { title: "Note", fields: [{ name: "text", label: "Note", required: true }] },
  close: { title: "Close", hint: "What did not come back stays in the alarm list.",
    fields: [{ name: "reason", label: "Reason", required: true }] },
  split: { title: "Split", hint: "The members that match become an incident of their own; some must stay.",
    fields: [{ name: "filter", label: "Query, such as region:r02 or site=edge-02-17", required: true },
      { name: "reason", label: "Reason", required: true }] },
};

export function IncidentPage({ id }) {
  const seq = useStore(alarmCounts)?.seq;
  const [turn, setTurn] = useState(0);
  const { value: incident, error, reload } = useFetched(`/incidents/${encodeURIComponent(id)}`, `${seq}.${turn}`);
  const [ask, setAsk] = useState("");
  const [said, setSaid] = useState("");
  if (error && !incident) return html`<${Failure} error=${error} what=${`incident ${id}`} onRetry=${reload} />`;
  if (!incident) return html`<main id="main" class="page"><h1>${id}</h1><p class="empty">Reading…</p></main>`;
  const send = async (values) => {
    await request(`/incidents/${encodeURIComponent(id)}:${ask}`, { method: "POST", body: values });
    setSaid(`${ASKS[ask].title}: done`);
    setAsk("");
    setTurn((n) => n + 1);
  };
  const isOpen = incident.state === "open";
  return html`<main id="main" class="page incident">
    <header class="page-head"><p class="crumb"><a href="/incidents">Incidents</a> / ${incident.state}</p>
      <h1>${count(incident.sites, "site")}: ${incident.name} <span class="big"><${StateChip} states=${SEVERITIES} name=${incident.severity} /></span>
        <small>${count(incident.alarms, "alarm")} in <span class="code incident-id">${incident.id}</span></small></h1>
      <${Evidence} incident=${incident} />
      <div class="buttons"><button type="button" disabled=${!isOpen || Boolean(incident.ack)}
          onClick=${() => setAsk("ack")}>${incident.ack ? `Acknowledged by ${incident.ack.by}` : "Acknowledge"}</button>
        <button type="button" onClick=${() => setAsk("note")}>Note</button>
        <button type="button" disabled=${!isOpen} onClick=${() => setAsk("close")}>Close</button>
        <button type="button" disabled=${!isOpen} onClick=${() => setAsk("split")}>Split</button>
        <${Export} filter=${`incident=${quoted(id)}`} onFailure=${setSaid} /></div>
      <p class="said" role="status">${said}</p>
      <${Facts} incident=${incident} />
    </header>
    <${Recovery} incident=${incident} />
    <${Members} incident=${incident} revision=${`${seq}.${turn}`} />
    <${Notes} notes=${incident.notes} ack=${incident.ack} />
    <${CopyLine} text=${`roost incident show ${id} --explain`} />
    ${ask && html`<${AskDialog} title=${`${ASKS[ask].title} ${id}`} hint=${ASKS[ask].hint}
      fields=${ASKS[ask].fields} button=${ASKS[ask].title} onSend=${send} onClose=${() => setAsk("")} />`}
  </main>`;
}

const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

function Facts({ incident }) {
  const seconds = (value) => (value === null || value === undefined ? "–" : ageText(value));
  const rows = [
    ["Opened", html`<${Time} at=${incident.opened} />`],
    ["Closed", incident.closed ? html`<${Time} at=${incident.closed} />` : html`open for <${Age} at=${incident.opened} />`],
    ["Sites", incident.sites.toLocaleString("en")],
    ["Explained", `${incident.covered.toLocaleString("en")} sites`],
    ["Dark (UNKNOWN)", `${incident.dark.toLocaleString("en")} sites`],
    ["Time to acknowledge", seconds(incident.mtta_s)],
    ["Time to recover", seconds(incident.mttr_s)],
  ];
  return html`<dl class="facts">${rows.map(([name, shown]) => html`<div key=${name}><dt>${name}</dt>
    <dd>${shown}</dd></div>`)}</dl>`;
}

function Recovery({ incident }) {
  const { recovered, sites, not_back: missing } = incident;
  const permille = sites ? Math.round((1000 * recovered) / sites) : 0;
  const [isWhole, setWhole] = useState(false);
  return html`<section><h2>Recovery <small>${recovered.toLocaleString("en")} of ${sites.toLocaleString("en")} sites are back</small></h2>
    <div class="bar" role="progressbar" aria-label="sites that are back" aria-valuemin="0" aria-valuemax=${sites}
      aria-valuenow=${recovered}><span style=${{ width: `${permille / 10}%` }}></span></div>
    ${missing.length > 0 && html`<h3>Did not come back (${missing.length.toLocaleString("en")})</h3>
      <ul class="names">${missing.slice(0, isWhole ? undefined : NAMES).map((site) => html`<li key=${site}>
        <a href=${sitePath(site)}>${site}</a></li>`)}</ul>
      ${missing.length > NAMES && !isWhole && html`<p><button type="button" onClick=${() => setWhole(true)}>
        ${missing.length - NAMES} more</button></p>`}`}</section>`;
}

/** What the cause does not explain stands first: a fire must not drown. */
function Members({ incident, revision }) {
  const filter = `incident=${quoted(incident.id)}`;
  const other = useFetched(`/alarms${queryString({ filter: `${filter} explained=false masked=false`, hidden: "true", limit: UNEXPLAINED })}`, revision);
  const members = useFetched(`/alarms${queryString({ filter: `${filter} explained=true`, hidden: "true", limit: MEMBERS })}`, revision);
  return html`<section class="unexplained"><h2>Not explained <small>${incident.unexplained} sites; they stand first
      so that they do not drown</small></h2>
      <${Listed} fetched=${other} nothing="The cause explains every alarm." /></section>
    <section><h2>Members <small>${incident.alarms > MEMBERS ? `the worst ${MEMBERS} of ` : ""}${incident.alarms.toLocaleString("en")}</small></h2>
      <${Listed} fetched=${members} nothing="No member is active." />
      <p><a href=${alarmsPath(filter)}>All members in the alarm list</a></p></section>`;
}

function Listed({ fetched: { value, error }, nothing }) {
  if (error && !value) return html`<${Problem} error=${error} />`;
  if (!value) return html`<p class="empty">Reading…</p>`;
  return html`<${AlarmRowsPlain} items=${value.items} hasSite=${true} nothing=${nothing} />`;
}

function Notes({ notes, ack }) {
  const all = [...(ack?.note ? [{ at: ack.at, by: ack.by, text: ack.note }] : []), ...notes];
  return all.length > 0 && html`<section><h2>Notes</h2><ul class="notes">${all.map((note) => html`<li
    key=${`${note.at}${note.text}`}>${note.text} <small>${note.by}, <${Time} at=${note.at} /></small></li>`)}</ul></section>`;
}
