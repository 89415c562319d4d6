/** What a node reported while a human had to choose about it: kept apart, applied nowhere. */
import { html } from "../html.js";
import { useFetched } from "../fetched.js";
import { Time } from "../time.js";
import { bytes } from "./humanise.js";

const SHOWN = 10;
const BOOT_CHARS = 8; // enough to tell two boxes apart

/** @param {{node: string, isShut: boolean, revision: any}} given `isShut`: its reports are kept apart now */
export function Held({ node, isShut, revision }) {
  const { value } = useFetched(`/nodes/${encodeURIComponent(node)}/held?limit=${SHOWN}`, isShut ? revision : "");
  const rows = value?.items ?? [];
  if (!rows.length && !isShut) return null;
  return html`<section class="held"><h3>Said in quarantine <small>kept apart; it changes neither alarms nor inventory</small></h3>
    ${rows.length ? html`<${Rows} rows=${rows} />` : html`<p class="empty">Nothing yet.</p>`}
    ${value?.next && html`<p class="as-cli">The last ${SHOWN}; all: <code>roost node held ${node}</code></p>`}</section>`;
}

function Rows({ rows }) {
  return html`<div class="scroll"><table class="plain stack"><thead><tr><th>Item</th><th>At</th><th>Box (boot, start)</th>
    <th>Says</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.seq}><th scope="row">${row.kind}</th>
      <td data-title="At"><${Time} at=${row.at} /></td>
      <td data-title="Box" class="code">${row.boot_id.slice(0, BOOT_CHARS)}, ${row.incarnation}</td>
      <td data-title="Says">${row.text || bytes(row.size_bytes)}</td></tr>`)}</tbody></table></div>`;
}
