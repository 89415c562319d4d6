/** Events as rows: own time first, and how late they came when that says something. */
import { html } from "../html.js";
import { SEVERITIES, StateChip } from "../status.js";
import { nodePath, sitePath } from "../router.js";
import { ageText, Time } from "../time.js";
import { Problem } from "../shell/failure.js";

const LATE_S = 30; // later than a beat: the event waited in an outbox

export function EventList({ items, error, site = null, nothing = "No event." }) {
  if (error && !items) return html`<${Problem} error=${error} />`;
  if (!items) return html`<p class="empty">Reading…</p>`;
  if (!items.length) return html`<p class="empty">${nothing}</p>`;
  return html`<div class="scroll"><table class="plain events stack"><thead><tr><th>Time</th>
    <th>Severity</th>
      ${!site && html`<th>Site</th>`}<th>Node</th><th>Type</th><th>What happened</th></tr></thead>
    <tbody>${items.map((event) => html`<tr key=${event.seq}>
      <td class="when"><${Time} at=${event.at} /><${Late} seconds=${event.late_s} /></td>
      <td data-title="Severity">${event.severity ? html`<${StateChip} states=${SEVERITIES} name=${event.severity} />` : "–"}</td>
      ${!site && html`<td data-title="Site" class="name">${event.site ? html`<a href=${sitePath(event.site)}>${event.site}</a>` : "–"}</td>`}
      <td data-title="Node" class="name">${event.node ? html`<a href=${nodePath(event.node)}>${shortName(event)}</a>` : "–"}</td>
      <td class="code" data-title="Type">${event.type ?? event.kind}</td>
      <td>${event.text}${event.entity && html` <small class="quiet">${event.entity}</small>`}</td>
        </tr>`)}</tbody></table></div>`;
}

function Late({ seconds }) {
  return seconds > LATE_S && html` <small class="late">${`received ${ageText(seconds)} late`}</small>`;
}

/** A node's id begins with its site's, which stands beside it. */
function shortName({ site, node }) {
  return site && node.startsWith(`${site}.`) ? node.slice(site.length + 1) : node;
}
