/** Nodes by paths: each cell a shape, a word, and what was measured. WAN and site apart. */
import { html } from "../html.js";
import { PATH_STATES, Shape } from "../status.js";
import { nodePath } from "../router.js";
import { Age, timeText } from "../time.js";
import { loss, roundTrip } from "../node/humanise.js";

const KINDS = [["wan", "WAN paths", "to the central brokers"], ["site", "Site paths", "between the nodes"]];
const STALE_MS = 90_000; // three beats of the usual 30 s

export function PathMatrix({ nodes }) {
  const tables = KINDS.map((kind) => [kind, pathNames(nodes, kind[0])])
    .filter(([, names]) => names.length);
  if (!tables.length) return html`<p class="empty">No path is known yet.</p>`;
  return html`<div class="matrices">${tables.map(([[kind, title, what], names]) => html`
    <div class="scroll" key=${kind}><table class="matrix"><caption>${title} <small>${what}</small>
      </caption>
      <thead><tr><th scope="col">Node</th>${names.map((name) => html`<th scope="col" key=${name}>${name}</th>`)}</tr></thead>
      <tbody>${nodes.map((node) => html`<tr key=${node.node}>
        <th scope="row"><a href=${nodePath(node.node)}>${node.name}</a></th>
        ${names.map((name) => html`<${PathCell} key=${name}
          path=${node.paths.find((path) => path.path === name && path.kind === kind)} />`)}</tr>`)}</tbody>
    </table></div>`)}</div>`;
}

function pathNames(nodes, kind) {
  const names = nodes.flatMap((node) => node.paths.filter((path) => path.kind === kind)
    .map((path) => path.path));
  return [...new Set(names)].sort();
}

function PathCell({ path }) {
  if (!path) return html`<td class="path none" title="this node has no such path">–</td>`;
  const state = PATH_STATES[path.state] ?? PATH_STATES.unknown;
  const isCarrying = path.state === "up" || path.state === "flaky"; // else the time is of before
  return html`<td class=${`path tone-${state.tone}`} title=${`since ${timeText(path.since)}`}>
    <span class="path-state"><${Shape} state=${state} />${path.state}</span>
    <span class="path-said">${isCarrying ? `${roundTrip(path.rtt_us)} · ` : ""}${loss(path.loss_permille)} lost · <${Age}
      at=${path.heard} staleMs=${STALE_MS} /></span></td>`;
}
