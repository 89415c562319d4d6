/** The whole inventory of a node, class by class, with a search over names and values. */
import { html, useMemo, useState } from "../html.js";
import { useFetched } from "../fetched.js";
import { Problem } from "../shell/failure.js";
import { Age } from "../time.js";
import { valueText } from "./humanise.js";
import { SectionTable } from "./section.js";

// What is asked first comes first; a class not named here follows in order of name.
const ORDER = ["system", "os", "cpu", "memory", "dimm", "numa", "hugepages", "disk", "partition",
  "filesystem", "raid", "lvm", "nic", "link", "lldp", "sriov", "pci", "accelerator", "gpu", "fpga",
  "bmc", "tpm", "watchdog", "sensor", "power", "time"];

export function Inventory({ node, revision }) {
  const [at, setAt] = useState(""); // a minute of UTC; empty: now
  const path = `/nodes/${encodeURIComponent(node)}/inventory${at && `?at=${at}:00Z`}`;
  const { value, error, loading } = useFetched(path, revision);
  const [text, setText] = useState("");
  const names = useMemo(() => (value ? ordered(Object.keys(value.sections)) : []), [value]);
  const sought = text.trim().toLowerCase();
  const wanted = sought ? matcher(sought) : null;
  const shown = names.filter((name) => !wanted || name.includes(sought)
    || Object.entries(value.sections[name].items).some(([id, fields]) => wanted(id, fields)));
  if (error?.status === 404 || (value && !names.length && !at)) {
    return html`<p class="empty">No inventory has arrived yet.</p>`;
  }
  return html`<div class="inventory-all">
    <${Problem} error=${error} />
    ${loading && !value && html`<p class="empty">Reading…</p>`}
    ${value && html`<div class="toolbar"><label class="query-box">
      <span class="hidden">Search the inventory</span>
        <input id="query" type="search" value=${text} placeholder="search fields and values"
          onInput=${(event) => setText(event.target.value)} /><kbd>/</kbd></label>
      <label>As of (UTC) <input type="datetime-local" value=${at} onChange=${(event) => setAt(event.target.value)} /></label>
      <p class="quiet" role="status">${shown.length} of ${names.length} classes · ${at ? "as it was" : `generation ${value.gen}`} ·
        as of <${Age} at=${value.as_of} suffix=" ago" />${value.behind && !at && html` · <b class="tone-degraded">behind: a newer one is on its way</b>`}</p></div>
      <nav class="jump" aria-label="Classes">${shown.map((name) => html`<a key=${name}
        href=${`#section-${name}`}>${name.replaceAll("_", " ")}</a>`)}</nav>
      ${shown.map((name) => html`<${SectionTable} key=${name} name=${name} section=${value.sections[name]}
        wanted=${wanted && !name.includes(sought) ? wanted : null} />`)}`}
  </div>`;
}

function ordered(names) {
  const rank = (name) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** @returns {(id: string, fields: Record<string, any>) => boolean} */
function matcher(text) {
  const has = (value) => String(value).toLowerCase().includes(text);
  return (id, fields) => has(id) || Object.entries(fields).some(([field, value]) => (
    has(field) || (value !== null && (has(value) || has(valueText(field, value))))));
}
