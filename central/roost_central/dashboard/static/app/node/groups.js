/** How the sensors of a board controller count, by group, and changing that for a group or a sensor. */
import { html, useState } from "../html.js";
import { request } from "../api.js";
import { useFetched } from "../fetched.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";

const MILD = [["alarm", "alarm"], ["log", "log"], ["ignore", "ignore"]];
const ALL = [...MILD, ["reset", "alarm, and reset the machine"], ["power-cycle", "alarm, and power-cycle the machine"]];
const COUNTS = [["false", "they count"], ["true", "suppressed: nothing is done, whatever they read"]];
const REASON = { name: "reason", label: "Reason; the audit log keeps it", required: true };
const INTERVAL_S = [10, 86_400];

/** @param {{node: string, revision: any, onDone: () => void}} given */
export function SensorGroups({ node, revision, onDone }) {
  const { value, error, reload } = useFetched(`/nodes/${encodeURIComponent(node)}/sensor-groups`, revision);
  const [asked, setAsked] = useState(null);
  if (!value) return html`<${Problem} error=${error} />`;
  const rows = value.items.filter((each) => each.sensors > 0 || each.is_set);
  if (!rows.length) return null;
  const done = () => { setAsked(null); reload(); onDone(); };
  return html`<div class="sensor-groups"><h3>How they count</h3>
    <div class="scroll"><table class="plain stack"><thead><tr><th>Group</th><th class="number">Sensors</th><th>Count</th>
      <th>Every</th><th>Minor</th><th>Major</th><th>Critical</th><th><span class="hidden">Change</span></th></tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${row.group}><th scope="row">${row.group}</th>
        <td data-title="Sensors" class="number">${row.sensors}</td>
        <td data-title="Count">${counts(row)}</td>
        <td data-title="Every">${row.interval_s ? `${row.interval_s} s` : "as its board"}</td>
        <td data-title="Minor">${row.minor}</td><td data-title="Major">${row.major}</td>
        <td data-title="Critical">${row.critical}</td>
        <td><button type="button" aria-label=${`Change how ${row.group} count`} onClick=${() => setAsked(row)}>Change…</button></td>
      </tr>`)}</tbody></table></div>
    <${CopyLine} text=${`roost bmc groups ${node}`} />
    ${asked && html`<${GroupDialog} node=${node} row=${asked} onDone=${done} onClose=${() => setAsked(null)} />`}</div>`;
}

function counts(row) {
  if (row.suppress) return "suppressed";
  return row.suppressed.length ? `all but ${row.suppressed.length}` : "all";
}

function GroupDialog({ node, row, onDone, onClose }) {
  const fields = [
    { name: "interval_s", label: `Seconds between two readings that count, ${INTERVAL_S.join(" to ")}; 0: as its board`, required: true, value: `${row.interval_s}` },
    { name: "minor", label: "A minor reading", value: row.minor, choices: MILD },
    { name: "major", label: "A major reading", value: row.major, choices: MILD },
    { name: "critical", label: "A critical reading", value: row.critical, choices: ALL },
    { name: "suppress", label: "Its sensors", value: `${row.suppress}`, choices: COUNTS },
    REASON,
  ];
  const send = async (values) => {
    const seconds = Number(values.interval_s);
    if (!Number.isInteger(seconds)) throw new Error(`Whole seconds: 0, or ${INTERVAL_S.join(" to ")}.`);
    const said = changed(row, { ...values, interval_s: seconds, suppress: values.suppress === "true" });
    await patch(node, row.group, { ...said, reason: values.reason });
    onDone();
  };
  return html`<${AskDialog} title=${`How the ${row.group} of ${node} count`} button="Change" fields=${fields} onSend=${send} onClose=${onClose}
    hint="It counts on every node of the site from now on, before what a node's own file says. Thresholds are the board's own.">${(values) => html`<${CopyLine}
      text=${groupLine(node, row, values)} />`}</${AskDialog}>`;
}

/** What is another than before; what is not sent stays. */
function changed(row, values) {
  const names = ["interval_s", "minor", "major", "critical", "suppress"];
  return Object.fromEntries(names.filter((name) => values[name] !== row[name]).map((name) => [name, values[name]]));
}

function groupLine(node, row, values) {
  const words = ["interval_s", "minor", "major", "critical"].filter((name) => values[name] !== `${row[name]}`)
    .map((name) => `--${name.replace("_", "-")} ${shellWord(values[name])}`);
  if (values.suppress !== `${row.suppress}`) words.push(values.suppress === "true" ? "--suppress" : "--no-suppress");
  return [`roost bmc group ${node} ${row.group}`, ...words, values.reason && `-m ${shellWord(values.reason)}`].filter(Boolean).join(" ");
}

/** @param {{node: string, sensor: any, onDone: () => void, onClose: () => void}} given */
export function SensorDialog({ node, sensor, onDone, onClose }) {
  const isOff = sensor.suppressed;
  const send = async ({ reason }) => {
    await patch(node, sensor.group, { sensors: { [sensor.key]: !isOff }, reason });
    onDone();
  };
  const line = (values) => [`roost bmc group ${node} ${sensor.group} ${isOff ? "--count-sensor" : "--suppress-sensor"} ${shellWord(sensor.key)}`,
    values.reason && `-m ${shellWord(values.reason)}`].filter(Boolean).join(" ");
  return html`<${AskDialog} title=${isOff ? `Let ${sensor.sensor} of ${node} count again` : `Suppress ${sensor.sensor} of ${node}`}
    button=${isOff ? "Count again" : "Suppress"} fields=${[REASON]} onSend=${send} onClose=${onClose}
    hint=${isOff ? "It raises alarms and has things done as its group says." : "It is read and shown, and nothing is done about it, whatever it reads."}>${(values) => html`<${CopyLine}
      text=${line(values)} />`}</${AskDialog}>`;
}

function patch(node, group, body) {
  return request(`/nodes/${encodeURIComponent(node)}/sensor-groups/${group}`, { method: "PATCH", body });
}
