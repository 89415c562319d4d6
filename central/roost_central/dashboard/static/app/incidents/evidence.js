/**
 * Why an incident is taken for one thing: what its sites share, and what else was looked at, as bars.
 *
 * Two bars are long beside a cause: nearly all sites with the attribute are hit, and nearly all sites
 * hit have it. What was rejected has a short one.
 */
import { html } from "../html.js";

const share = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));

export function Evidence({ incident }) {
  const { causes, rejected, sites } = incident;
  const found = causes.length > 0;
  return html`<section class="cause" aria-labelledby="cause-title"><h2 id="cause-title">Likely cause</h2>
    ${!found && html`<p>${incident.cause || "No attribute that the sites share explains it (yet)."}</p>`}
    ${(found || rejected.length > 0) && html`<div class="scroll"><table class="evidence"><thead><tr>
      <th scope="col">What they share</th><th scope="col">Sites with it that are hit <small>precision</small></th>
      <th scope="col">Sites hit that have it <small>coverage</small></th></tr></thead>
      <tbody>${causes.map((each) => html`<${Row} key=${each.text} each=${each} sites=${sites} isCause />`)}
        ${rejected.map((each) => html`<${Row} key=${each.text} each=${each} sites=${sites} />`)}</tbody></table></div>`}
    ${causes.length > 1 && html`<p class="quiet">In all: precision ${share(incident.precision)}, coverage ${share(incident.coverage)}</p>`}
    ${rejected.length === 0 && html`<p class="quiet">No other attribute came near.</p>`}</section>`;
}

function Row({ each: { text, precision, covers }, sites, isCause = false }) {
  return html`<tr class=${isCause ? "is-cause" : "is-rejected"}><th scope="row">${isCause
    ? html`<b class="cause-text">${text}</b>` : html`<span class="code">${text}</span> <small>rejected</small>`}</th>
    <td data-title="Sites with it that are hit"><${Bar} part=${precision} said=${share(precision)} /></td>
    <td data-title="Sites hit that have it"><${Bar} part=${sites ? covers / sites : 0} said=${`${covers.toLocaleString("en")} of ${sites.toLocaleString("en")}`} /></td></tr>`;
}

/** @param {{part: number|null, said: string}} given `part` of 1; the words say the same */
function Bar({ part, said }) {
  const percent = Math.round(100 * Math.min(1, Math.max(0, part ?? 0)));
  return html`<span class="evidence-bar"><span aria-hidden="true"><span style=${{ width: `${percent}%` }}></span></span>${said}</span>`;
}
