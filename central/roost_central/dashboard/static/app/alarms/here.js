/** The alarms of one site or node, all of them: also masked, shelved and suppressed ones. */
import { html, useEffect, useState } from "../html.js";
import { queryString } from "../api.js";
import { useFetched } from "../fetched.js";
import { alarmsPath, nodePath, sitePath } from "../router.js";
import { Problem } from "../shell/failure.js";
import { Age } from "../time.js";
import { onAlarms } from "./counts.js";
import { entityRest, Marks, OpState, Severity } from "./show.js";

const SHOWN = 50; // of the worst; the list has the rest

/**
 * @param {{filter: string, concerns: (alarm: any) => boolean, hasNode?: boolean}} given
 *   `concerns`: whether a changed alarm is one of these; `hasNode`: they are of several nodes
 */
export function AlarmsHere({ filter, concerns, hasNode = false }) {
  const [turn, setTurn] = useState(0);
  const { value, error } = useFetched(`/alarms${queryString({
    filter, hidden: "true", limit: SHOWN, count: "exact",
  })}`, turn);
  useEffect(() => onAlarms(({ changed, gone, more }) => {
    const isMine = gone.some((id) => value?.items.some((alarm) => alarm.id === id));
    if (more || isMine || changed.some(concerns)) setTurn((n) => n + 1);
  }), [filter, value]);
  const count = value?.count ?? value?.items.length ?? 0;
  return html`<section class="alarms-here"><h2>Alarms ${value && html`<small>${count}</small>`}</h2>
    ${error && !value ? html`<${Problem} error=${error} />`
    : !value ? html`<p class="empty">Reading…</p>`
      : html`<${AlarmRowsPlain} items=${value.items} hasNode=${hasNode} />`}
    ${count > 0 && html`<p><a href=${alarmsPath(filter)}>In the alarm list</a></p>`}</section>`;
}

/** Alarms as a plain table, for pages where they are not the whole matter. */
export function AlarmRowsPlain({ items, hasSite = false, hasNode = false, nothing = "No alarm." }) {
  if (!items.length) return html`<p class="empty">${nothing}</p>`;
  return html`<div class="scroll"><table class="plain alarm-plain stack"><thead><tr><th>Severity</th><th>Age</th>
    ${hasSite && html`<th>Site</th>`}${hasNode && html`<th>Node</th>`}<th>Type</th><th>What is wrong</th><th>Operator</th></tr></thead>
    <tbody>${items.map((alarm) => html`<tr key=${alarm.id} class=${alarm.state === "active" ? "" : "stale"}>
      <td><${Severity} alarm=${alarm} /></td><td data-title="Age"><${Age} at=${alarm.raised} /></td>
      ${hasSite && html`<td data-title="Site"><a href=${sitePath(alarm.site)}>${alarm.site}</a></td>`}
      ${hasNode && html`<td data-title="Node"><${NodeOf} alarm=${alarm} /></td>`}
      <td data-title="Type"><a href=${alarmsPath("", alarm.key_id)}>${alarm.name}</a> <small class="code">${alarm.type}</small></td>
      <td>${alarm.text} <small>${entityRest(alarm)}</small><${Marks} alarm=${alarm} /></td>
      <td data-title="Operator"><${OpState} alarm=${alarm} /></td></tr>`)}</tbody></table></div>`;
}

/** The node as a link, by its name in its site; an alarm of the site has none. */
function NodeOf({ alarm: { site, node } }) {
  if (!node) return "–";
  return html`<a href=${nodePath(node)}>${node.startsWith(`${site}.`) ? node.slice(site.length + 1) : node}</a>`;
}
