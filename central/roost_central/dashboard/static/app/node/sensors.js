/** What a node's board controller says of its machine; nothing where nobody reads one. */
import { html, useState } from "../html.js";
import { useFetched } from "../fetched.js";
import { CopyLine } from "../shell/copy.js";
import { SENSOR_LEVELS, StateChip } from "../status.js";
import { Age } from "../time.js";
import { SensorDialog, SensorGroups } from "./groups.js";
import { BoardSamples } from "./samples.js";

const STALE_MS = 3_600_000; // who reads one tells it every half hour
const SHOWN = 12; // rows before somebody asks for more; what is not ok comes first
const WORST = ["critical", "major", "minor", "offline", "ok"];

/** @param {{node: string, revision: any}} given `revision`: asks again when it changes */
export function Sensors({ node, revision }) {
  const { value, reload } = useFetched(`/nodes/${encodeURIComponent(node)}/sensors`, revision);
  const [isWhole, setWhole] = useState(false);
  const [asked, setAsked] = useState(null);
  const [said, setSaid] = useState("");
  if (!value?.as_of) return null;
  const rows = value.sensors.toSorted((one, other) => WORST.indexOf(one.level) - WORST.indexOf(other.level));
  const done = () => { setAsked(null); setSaid("Changed: it counts once whoever reads the board knows."); reload(); };
  return html`<section class="sensors"><h2>Sensors <small>of its board controller, power ${value.power}, told${" "}
      <${Age} at=${value.as_of} staleMs=${STALE_MS} suffix=" ago" /></small></h2>
    ${value.fault && html`<p class="problem">It is not read: ${value.fault}</p>`}
    ${rows.length ? html`<${Rows} rows=${isWhole ? rows : rows.slice(0, SHOWN)} onAsk=${setAsked} />` : html`<p class="empty">It has told no sensor.</p>`}
    ${rows.length > SHOWN && html`<p><button aria-expanded=${isWhole} onClick=${() => setWhole(!isWhole)}>
      ${isWhole ? "Show fewer" : `Show all ${rows.length}`}</button></p>`}
    <${CopyLine} text=${`roost host sensors ${node}`} />
    <p class="said" role="status">${said}</p>
    <${SensorGroups} node=${node} revision=${said || revision} onDone=${done} />
    ${asked && html`<${SensorDialog} node=${node} sensor=${asked} onDone=${done} onClose=${() => setAsked(null)} />`}
    <${BoardSamples} key=${node} node=${node} /></section>`;
}

function Rows({ rows, onAsk }) {
  return html`<div class="scroll"><table class="plain stack"><thead><tr><th>Sensor</th><th>Level</th>
    <th class="number">Reading</th><th>Lower</th><th>Upper</th><th><span class="hidden">Count</span></th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.key}><th scope="row" title=${row.key}>${row.sensor}</th>
      <td data-title="Level"><${StateChip} states=${SENSOR_LEVELS} name=${row.level} />${row.suppressed && " suppressed"}</td>
      <td data-title="Reading" class="number">${row.value === null ? "–" : `${row.value} ${row.unit}`}</td>
      <td data-title="Lower">${bounds(row.thresholds, ["lnr", "lcr", "lnc"])}</td>
      <td data-title="Upper">${bounds(row.thresholds, ["unc", "ucr", "unr"])}</td>
      <td><button type="button" aria-label=${`${row.suppressed ? "Count" : "Suppress"} ${row.sensor}`}
        onClick=${() => onAsk(row)}>${row.suppressed ? "Count…" : "Suppress…"}</button></td></tr>`)}</tbody></table></div>`;
}

function bounds(thresholds, names) {
  return names.map((name) => thresholds[name]).filter((each) => each !== null).join(" / ") || "–";
}
