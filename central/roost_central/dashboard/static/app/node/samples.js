/** What a node measured lately: the node is asked when somebody looks, and not before. */
import { html, useEffect, useState } from "../html.js";
import { useFetched } from "../fetched.js";
import { queryString } from "../api.js";
import { CopyLine } from "../shell/copy.js";
import { Age, timeText } from "../time.js";

const SPANS = { "1h": "1 hour", "6h": "6 hours", "24h": "24 hours" };
const SHOWN_MAX = 12; // lines of one plot: more are in the table
const TITLES = {
  cpu: "Processors", load: "Load", memory: "Memory", swap: "Swap", pids: "Process ids", pressure: "Pressure",
  space: "File systems", inodes: "Inodes", temperature: "Temperatures", fan: "Fans", process_cpu: "Processor, by process",
  process_memory: "Memory, by process", descriptors: "File descriptors, by process",
  fan_level: "Fans, by share", voltage: "Voltages", current: "Currents", power: "Power", usage: "Usage",
};

/** @param {{node: string}} given */
export function Samples({ node }) {
  return html`<section class="samples"><h2>Measured <small>kept on the node, by minute, for a day</small></h2>
    <${Spans} path=${`/nodes/${encodeURIComponent(node)}/samples`} label="Show what it measured"
      whose="The node's own answer." />
    <${CopyLine} text=${`roost host samples ${node}`} /></section>`;
}

/** Readings of a board controller's sensors, which whoever reads it keeps. @param {{node: string}} given */
export function BoardSamples({ node }) {
  return html`<div class="samples"><h3>Over time <small>kept by the node that reads it, by minute, for a day</small></h3>
    <${Spans} path=${`/nodes/${encodeURIComponent(node)}/sensors/samples`} label="Show what the sensors read"
      whose="The answer of the node that reads it." />
    <${CopyLine} text=${`roost host samples ${node} --board`} /></div>`;
}

function Spans({ path, label, whose }) {
  const [span, setSpan] = useState("");
  return html`<p class="spans" role="group" aria-label=${label}>${Object.entries(SPANS).map(([key, words]) => html`
      <button key=${key} aria-pressed=${span === key} onClick=${() => setSpan(key)}>${words}</button>`)}</p>
    ${span && html`<${Shown} path=${path} span=${span} whose=${whose} />`}`;
}

function Shown({ path, span, whose }) {
  const { value, error, loading, reload } = useFetched(`${path}${queryString({ since: span })}`);
  const [Plot, setPlot] = useState(null);
  useEffect(() => {
    import("./plot.js").then((module) => setPlot(() => module.Plot));
  }, []);
  if (error) return html`<p class="problem">${error.message} <button onClick=${reload}>Ask again</button></p>`;
  if (!value || !Plot) return html`<p class="empty" aria-live="polite">Asking the node…</p>`;
  return html`<p class=${value.why ? "problem" : "quiet"} aria-live="polite">${said(value, whose)}
      ${value.age_s !== null && html` Heard <${Age} at=${value.as_of} suffix=" ago" />.`}
      ${value.left_out > 0 && ` ${value.left_out} series more are told by the command line.`}
      ${" "}<button disabled=${loading} onClick=${reload}>Ask again</button></p>
    <div class="plots">${grouped(value.series).map(([kind, lines]) => html`<${Panel} key=${kind} title=${TITLES[kind] ?? kind}
      value=${value} lines=${lines} Plot=${Plot} />`)}</div>`;
}

function said({ origin, why }, whose) {
  const because = why && `${why[0].toUpperCase()}${why.slice(1)}.`;
  if (origin === "none") return `${because} Nothing is known of what it measured.`;
  if (origin === "kept") return `${because} Shown is what it tells by itself once an hour.`;
  return why ? `${because} Shown is its answer of before.` : whose;
}

/** @returns {[string, object[]][]} series by kind, in the order of TITLES */
function grouped(series) {
  return Object.keys(TITLES).map((kind) => [kind, series.filter((each) => each.kind === kind)])
    .filter(([, lines]) => lines.length > 0);
}

function Panel({ title, value, lines, Plot }) {
  const { unit } = lines[0];
  const times = lines[0].mean.map((_, step) => Date.parse(value.since) / 1000 + step * value.step_s);
  const shown = [...lines].sort((a, b) => top(b) - top(a)).slice(0, SHOWN_MAX);
  const label = shown.map((line) => `${nameOf(line)}: ${words(line, unit)}`).join("; ");
  return html`<figure class="measured"><figcaption><b>${title}</b> <small>${unit}</small></figcaption>
    <${Plot} times=${times} lines=${shown} names=${shown.map(nameOf)} unit=${unit} label=${`${title}. ${label}`} />
    ${lines.length > SHOWN_MAX && html`<p class="quiet">The ${SHOWN_MAX} highest of ${lines.length}.</p>`}
    <details><summary>As a table</summary><${Table} times=${times} lines=${lines} unit=${unit} /></details></figure>`;
}

function Table({ times, lines, unit }) {
  const [open, setOpen] = useState("");
  const line = lines.find(({ series }) => series === open);
  return html`<div class="scroll"><table class="plain stack"><thead><tr><th>Series</th><th class="number">Lowest, ${unit}</th>
      <th class="number">Mean</th><th class="number">Highest</th><th class="number">Last</th><th></th></tr></thead>
    <tbody>${lines.map((each) => html`<tr key=${each.series}><th scope="row">${nameOf(each)}</th>
      <td class="number" data-title="Lowest">${least(each)}</td><td class="number" data-title="Mean">${mean(each)}</td>
      <td class="number" data-title="Highest">${top(each)}</td><td class="number" data-title="Last">${known(each.mean).at(-1) ?? "–"}</td>
      <td><button aria-expanded=${open === each.series} onClick=${() => setOpen(open === each.series ? "" : each.series)}>Steps</button></td>
      </tr>`)}</tbody></table></div>
    ${line && html`<div class="scroll"><table class="plain steps"><caption>${nameOf(line)}, ${unit}</caption><thead><tr><th>At</th>
      <th class="number">Lowest</th><th class="number">Mean</th><th class="number">Highest</th></tr></thead>
      <tbody>${times.map((at, step) => html`<tr key=${at}><th scope="row">${timeText(at * 1000)}</th>
        <td class="number">${line.low[step] ?? "–"}</td><td class="number">${line.mean[step] ?? "–"}</td>
        <td class="number">${line.high[step] ?? "–"}</td></tr>`)}</tbody></table></div>`}`;
}

const known = (values) => values.filter((each) => each !== null);
const nameOf = ({ of, kind }) => (of ? of.replace(/^numa=/, "NUMA node ").replace(/^[a-z]+=/, "") : TITLES[kind] ?? kind);
const least = (line) => known(line.low).reduce((low, each) => Math.min(low, each), Infinity);
const top = (line) => known(line.high).reduce((high, each) => Math.max(high, each), -Infinity);
const mean = ({ mean: values }) => Number((known(values).reduce((sum, each) => sum + each, 0) / known(values).length).toPrecision(4));
const words = (line, unit) => `${least(line)} to ${top(line)} ${unit}`;
