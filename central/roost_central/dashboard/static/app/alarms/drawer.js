/** One alarm in full: what is wrong, what to do, what caused it, who did what. */
import { html, useEffect, useRef } from "../html.js";
import { useFetched } from "../fetched.js";
import { alarmsPath, incidentPath } from "../router.js";
import { CopyLine } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { Age, ageText, Time } from "../time.js";
import { ACTS } from "./acts.js";
import { Marks, OpState, Place, Severity } from "./show.js";

const LATE_S = 30; // longer than a beat: it waited in an outbox

/**
 * @param {{id: string, seq: number, onAct?: (verb: string, alarm: any) => void,
 *   onClose: () => void}} given  `seq`: reads again when it changes
 */
export function AlarmDrawer({ id, seq, onAct, onClose }) {
  const at = `/alarms/${encodeURIComponent(id)}`;
  const { value: alarm, error } = useFetched(at, seq);
  const timeline = useFetched(`${at}/timeline`, seq);
  const title = useRef(null);
  useEffect(() => title.current?.focus(), [id]);
  const close = (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    onClose();
  };
  return html`<aside class="drawer" aria-labelledby="drawer-title" onKeyDown=${close}>
    <div class="drawer-head"><h2 id="drawer-title" tabindex="-1" ref=${title}>
      ${alarm ? html`${alarm.name} <small class="code">${alarm.type}</small>` : "Alarm"}</h2>
      <button type="button" class="icon" onClick=${onClose} title="close (Esc)" aria-label="close">×</button></div>
    ${!alarm ? html`${error ? html`<p class="problem" role="alert">${error.status === 404
    ? "There is no such alarm; it may have passed its time of keeping." : error.message}</p>`
    : html`<p class="empty">Reading…</p>`}`
    : html`<${Detail} alarm=${alarm} timeline=${timeline} onAct=${onAct} />`}
  </aside>`;
}

function Detail({ alarm, timeline, onAct }) {
  return html`
    <p class="drawer-text"><${Severity} alarm=${alarm} /> ${alarm.text}<${Marks} alarm=${alarm} /></p>
    <div class="buttons">${actsOn(alarm).map((verb) => html`<button type="button" key=${verb}
      onClick=${() => onAct(verb, alarm)}>${ACTS[verb].title}</button>`)}</div>
    ${alarm.repair && html`<section class="repair"><h3>Proposed repair</h3><p>${alarm.repair}</p></section>`}
    <${Facts} alarm=${alarm} />
    <${Related} title="May be caused by" alarms=${alarm.causes} />
    <${Related} title=${`Hides ${alarm.impacted ?? 0} below it`} alarms=${alarm.masks} />
    ${alarm.note_list?.length > 0 && html`<section><h3>Notes</h3><ul class="notes">${alarm.note_list.map((note) => html`<li
      key=${note.at}>${note.text} <small>${note.by}, <${Age} at=${note.at} suffix=" ago" /></small></li>`)}</ul></section>`}
    <section><h3>Timeline</h3><${Timeline} fetched=${timeline} /></section>
    <details><summary>All fields</summary><pre>${JSON.stringify(alarm, null, 1)}</pre></details>
    <${CopyLine} text=${`roost alarm show ${alarm.key_id}`} />`;
}

/** What can be done with it as it stands; what is over is the record and stays as it is. */
function actsOn(alarm) {
  if (alarm.state === "cleared") return [];
  return [alarm.ack ? "unack" : "ack", alarm.shelf ? "unshelve" : "shelve", "note", "assign", "clear"];
}

function Facts({ alarm }) {
  const params = Object.entries(alarm.params ?? {});
  const { value, limit, unit = "" } = alarm.params ?? {};
  const affects = [alarm.service_affecting && "service", alarm.mgmt_affecting && "rollouts",
    alarm.degrade_affecting && "degrades the host"].filter(Boolean).join(", ");
  const rows = [
    ["Where", html`<${Place} alarm=${alarm} /> <span class="code quiet">${alarm.entity}</span>`],
    ["Raised", html`<${Time} at=${alarm.raised} /> <small>(<${Age} at=${alarm.raised} suffix=" ago" />)</small>`],
    ["Changed", html`<${Time} at=${alarm.changed} />`],
    alarm.cleared && ["Cleared", html`<${Time} at=${alarm.cleared} /> <small>${alarm.reason}</small>`],
    ["As of", html`<${Age} at=${alarm.as_of} suffix=" ago" /> <small>last word of its reporter</small>`],
    value !== undefined && ["Value", html`<b>${value} ${unit}</b>${limit !== undefined && html` <small>limit ${limit} ${unit}</small>`}`],
    ["Raises", `${alarm.count} in this episode${alarm.flapping ? ", flapping" : ""}`],
    ["Operator", html`<${OpState} alarm=${alarm} /> <span class="code quiet">${alarm.isa}</span>`],
    ["Owner", [alarm.assignee, alarm.ticket].filter(Boolean).join(" · ") || "–"],
    ["Kind", `${alarm.event_type} · ${alarm.cause}`],
    affects && ["Affects", affects],
    alarm.incident && ["Incident", html`<a href=${incidentPath(alarm.incident)}>${alarm.incident}</a>
      ${alarm.explained === false && html` <small class="mark">its cause does not explain this one</small>`}`],
    params.length > 0 && ["Parameters", html`<span class="code">${params.map(([k, v]) => `${k}=${v}`).join(" ")}</span>`],
  ].filter(Boolean);
  return html`<dl class="drawer-facts">${rows.map(([name, shown]) => html`<div key=${name}>
    <dt>${name}</dt><dd>${shown}</dd></div>`)}</dl>`;
}

function Related({ title, alarms }) {
  if (!alarms?.length) return null;
  return html`<section><h3>${title}</h3><ul class="related">${alarms.map((alarm) => html`<li key=${alarm.id}>
    <${Severity} alarm=${alarm} /> <a href=${alarmsPath("", alarm.key_id)}>${alarm.name}</a>
    <span class="quiet">${alarm.text}</span></li>`)}</ul></section>`;
}

function Timeline({ fetched: { value, error } }) {
  if (error && !value) return html`<${Problem} error=${error} />`;
  if (!value) return html`<p class="empty">Reading…</p>`;
  return html`<ol class="timeline">${value.items.map((item) => html`<li key=${item.seq}>
    <${Time} at=${item.at} /><${Late} item=${item} /> <b>${item.event}</b>
    ${item.severity && item.event !== "clear" && html` ${item.severity}`}
    ${item.actor && html` <span class="quiet">by ${item.actor}</span>`}
    ${(item.note || item.text) && html`<div>${item.note || item.text}</div>`}</li>`)}</ol>`;
}

function Late({ item }) {
  const seconds = (Date.parse(item.received) - Date.parse(item.at)) / 1000;
  return seconds > LATE_S && html` <small class="late">${`received ${ageText(seconds)} late`}</small>`;
}
