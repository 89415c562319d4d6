/** Local HA of a site: who is active and why, who hears whom, and what moved. */
import { html } from "../html.js";
import { queryString } from "../api.js";
import { useFetched } from "../fetched.js";
import { nodePath } from "../router.js";
import { HA_ROLES, PEER_PATHS, REDUNDANCIES, Shape, StateChip } from "../status.js";
import { Age, Time } from "../time.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { TurnPlot } from "./turns.js";

const STALE_MS = 2_400_000; // a node tells its view again every half hour where nothing changes
const DECISIONS = 50;
const UNWELL = 4; // a local health multiplier from which a node may not stand

/** @param {{site: string, asOf: string}} given `asOf`: another one asks again */
export function HaSection({ site, asOf }) {
  const base = `/sites/${encodeURIComponent(site)}/ha`;
  const { value, error } = useFetched(base, asOf);
  const history = useFetched(value?.nodes.length ? `${base}/history${queryString({ limit: DECISIONS })}` : null, asOf);
  const command = html`<${CopyLine} text=${`roost ha status ${shellWord(site)}`} />`;
  if (error && !value) return html`<section><h2>Local HA</h2><${Problem} error=${error} /></section>`;
  if (!value) return html`<section><h2>Local HA</h2><p class="empty">Reading…</p></section>`;
  if (!value.nodes.length) return html`<section class="ha"><h2>Local HA</h2>
    <p class="empty">No node of this site takes part in local HA: none names a site file in <code>[ha] file</code>.</p>
    ${command}</section>`;
  return html`<section class="ha" aria-label="Local HA"><h2>Local HA <${StateChip} states=${REDUNDANCIES} name=${value.redundancy} />
      <small>profile ${value.profile}, voters ${value.voters.join(", ")}${value.sticky ? ", sticky" : ""}</small></h2>
    <${Groups} site=${site} groups=${value.groups} />
    <${Faults} site=${site} nodes=${value.nodes} />
    <${Matrix} nodes=${value.nodes} ways=${value.ways} cells=${value.matrix} />
    <h3>Who was active</h3>
    <${TurnPlot} turns=${history.value?.turns} />
    <${Decisions} site=${site} items=${history.value?.items} error=${history.error} />
    ${command}</section>`;
}

function Groups({ site, groups }) {
  const links = (nodes) => html`<span class="nodes">${nodes.map((node) => html`<a key=${node}
    href=${nodePath(`${site}.${node}`)}>${node}</a>`)}</span>`;
  return html`<div class="scroll"><table class="plain stack ha-groups"><thead><tr><th>Group</th><th>Active</th><th>Standby</th>
    <th>Redundancy</th><th>Hosts, by their own word</th><th>Why</th></tr></thead>
    <tbody>${groups.map((group) => html`<tr key=${group.group}>
      <th scope="row">${group.group}<small class="quiet"> ${group.model === "site" ? "built in" : group.model}</small></th>
      <td data-title="Active">${group.active.length ? links(group.active)
    : html`<span class="never">nobody</span>`}${group.epoch > 0 && html`<small class="quiet"> epoch ${group.epoch}</small>`}</td>
      <td data-title="Standby">${group.standby.length ? links(group.standby) : "–"}</td>
      <td data-title="Redundancy"><${StateChip} states=${REDUNDANCIES} name=${group.redundancy} />${group.lacks.length > 0
    && html`<ul class="hosts">${group.lacks.map((lack) => html`<li key=${lack.node}><small class="quiet">${lack.why}${lack.since
    && html` <${Age} at=${lack.since} suffix=" ago" />`}</small></li>`)}</ul>`}</td>
      <td data-title="Hosts"><ul class="hosts">${group.hosts.map((host) => html`<li key=${host.node}>
        <b>${host.node}</b><${StateChip} states=${HA_ROLES} name=${host.role ?? "silent"} />${host.why_not
    && html`<small class="quiet">${host.why_not}</small>`}${servicesText(host.services)
    && html`<small class="quiet">${servicesText(host.services)}</small>`}</li>`)}</ul></td>
      <td data-title="Why">${group.why ?? "–"}${group.since && html`<small class="quiet"> <${Age} at=${group.since} suffix=" ago" /></small>`}</td>
      </tr>`)}</tbody></table></div>`;
}

/** @param {Record<string, string>} services @returns {string} those that are not simply active */
const servicesText = (services) => Object.entries(services).filter(([, state]) => state === "failed")
  .map(([name, state]) => `${name} ${state}`).join(", ");

function Faults({ site, nodes }) {
  const wrong = nodes.flatMap((node) => [
    ...node.faults,
    ...(node.has_quorum ? [] : ["hears no majority of the voters"]),
    ...(node.health >= UNWELL ? [`finds itself unwell (${node.health} of 8): it does not stand`] : []),
  ].map((text) => ({ node: node.node, text })));
  return wrong.length > 0 && html`<ul class="ha-faults">${wrong.map(({ node, text }) => html`<li key=${node + text}>
    <${Shape} state=${REDUNDANCIES.lost} /> <a href=${nodePath(`${site}.${node}`)}>${node}</a> ${text}</li>`)}</ul>`;
}

/** A row for each node that hears, a column for each that is heard. */
function Matrix({ nodes, ways, cells }) {
  const names = [...new Set([...nodes.map(({ node }) => node), ...cells.map(({ peer }) => peer)])].sort();
  const cellOf = new Map(cells.map((cell) => [`${cell.node} ${cell.peer}`, cell]));
  return html`<div class="scroll"><table class="matrix ha-matrix"><caption>Who hears whom${" "}
      <small>${ways.length} paths: ${ways.map(({ name }) => name).join(", ")}</small></caption>
    <thead><tr><th scope="col">Hears ↓ whom →</th>${names.map((name) => html`<th scope="col" key=${name}>${name}</th>`)}</tr></thead>
    <tbody>${nodes.map((node) => html`<tr key=${node.node}><th scope="row">${node.node}
        <small class="path-said">told <${Age} at=${node.as_of} staleMs=${STALE_MS} suffix=" ago" /></small></th>
      ${names.map((name) => (name === node.node ? html`<td key=${name} class="path none">itself</td>`
    : html`<${Heard} key=${name} cell=${cellOf.get(`${node.node} ${name}`)} />`))}</tr>`)}</tbody></table></div>`;
}

function Heard({ cell }) {
  if (!cell) return html`<td class="path none" title="nothing was told">–</td>`;
  const paths = Object.entries(cell.paths);
  const bad = paths.filter(([, state]) => state !== "up");
  const tone = bad.length === 0 ? "ok" : bad.length < paths.length ? "degraded" : "down";
  return html`<td class=${`path tone-${tone}`}>
    <span class="path-state">${cell.state}</span>
    <span class="path-said">${paths.length - bad.length} of ${paths.length} up</span>
    ${bad.map(([name, state]) => html`<span class="hop" key=${name}><${StateChip} states=${PEER_PATHS} name=${state} /> ${name}</span>`)}</td>`;
}

function Decisions({ site, items, error }) {
  if (error && !items) return html`<${Problem} error=${error} />`;
  if (!items) return html`<p class="empty">Reading…</p>`;
  if (!items.length) return html`<p class="empty">Nothing moved in the last 30 days.</p>`;
  return html`<div class="scroll"><table class="plain events stack" aria-label="Changes of role, newest first">
    <thead><tr><th>Time</th><th>Node</th><th>What was decided, and why</th></tr></thead>
    <tbody>${items.map((item) => html`<tr key=${item.seq}><td class="when"><${Time} at=${item.at} /></td>
      <td data-title="Node"><a href=${nodePath(item.node)}>${item.node.slice(site.length + 1)}</a></td>
      <td>${item.text}</td></tr>`)}</tbody></table></div>`;
}
