/** How much alarms ask of the operators: ISA-18.2 and EEMUA 191, with bands and bad actors. */
import { html, useState } from "../html.js";
import { queryString } from "../api.js";
import { useFetched } from "../fetched.js";
import { alarmsPath, quoted, setParams, sitePath } from "../router.js";
import { CopyLine } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { SEVERITIES, Shape } from "../status.js";
import { SEVERITY_ORDER } from "../alarms/show.js";
import { ageText } from "../time.js";
import { SuppressDialog } from "../shelf/suppress.js";
import { HourPlot } from "./plot.js";

const SPANS = [["1", "1 h"], ["24", "24 h"], ["168", "7 days"]];
const TARGET = { critical: null, major: 0.05, minor: 0.15, warning: 0.8 }; // EEMUA 191: 5/15/80
const BANDS = {
  good: { word: "good", shape: "square", tone: "ok" },
  manageable: { word: "manageable", shape: "triangle", tone: "degraded" },
  overloaded: { word: "overloaded", shape: "cross", tone: "down" },
};

export function LoadPage({ route }) {
  const hours = route.params.get("hours") ?? "24";
  const operators = route.params.get("operators") ?? "1";
  const { value, error, reload } = useFetched(`/alarms/load${queryString({ hours, operators })}`);
  const [type, setType] = useState("");
  return html`<main id="main" class="page"><h1>Operator load</h1>
    <div class="toolbar"><div class="segments" role="group" aria-label="Time">${SPANS.map(([key, title]) => html`<button
      type="button" key=${key} aria-pressed=${hours === key} onClick=${() => setParams({ hours: key === "24" ? "" : key })}>
      ${title}</button>`)}</div><label class="choice"><span>Operators</span><input type="number" min="1" max="1000" value=${operators}
        onChange=${({ target }) => setParams({ operators: target.value === "1" ? "" : target.value })} /></label>
      <button type="button" onClick=${reload}>Read again</button></div>
    ${error && !value ? html`<${Problem} error=${error} />` : !value ? html`<p class="empty">Reading…</p>`
    : html`<${Load} load=${value} onSuppress=${setType} />`}
    <${CopyLine} text=${`roost alarm load --hours ${hours} --operators ${operators}`} />
    ${type && html`<${SuppressDialog} type=${type} onClose=${() => setType("")}
      onDone=${() => { setType(""); reload(); }} />`}</main>`;
}

/** The server says the band; one that it leaves out follows from the two bounds. */
export function bandOf({ value, good, limit, band }) {
  if (BANDS[band]) return BANDS[band];
  if (value === null || value <= good) return BANDS.good;
  return value <= limit ? BANDS.manageable : BANDS.overloaded;
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function Load({ load, onSuppress }) {
  return html`
    <div class="cards">
      <${Card} title="Alarms per operator and hour" measure=${load.alarms_per_hour} text=${(n) => n.toFixed(1)} />
      <${Card} title="Share of time in flood" measure=${load.flood_share} text=${percent} />
      <${Figure} title="Stale" value=${load.stale} hint="active or acked for more than 24 h; fewer than 5 a day is good" />
      <${Figure} title="Chattering" value=${load.chattering} hint="3 or more transitions in 60 s" />
      <${Figure} title="Fleeting" value=${load.fleeting} hint="gone within 10 s" />
      <${Figure} title="Mean time to acknowledge" value=${load.mtta_s === null ? "–" : ageText(load.mtta_s)} />
      <${Figure} title="Mean time to recover" value=${load.mttr_s === null ? "–" : ageText(load.mttr_s)} />
    </div>
    <section><h2>Alarms by hour <small>${load.operators} operator${load.operators === 1 ? "" : "s"};
      a flood is 10 in 10 minutes for each</small></h2>
      <${HourPlot} hours=${load.per_hour} limit=${load.alarms_per_hour.limit * load.operators} /></section>
    <section><h2>By severity <small>a good mix is 5 % major, 15 % minor, 80 % warning</small></h2>
      <ul class="mix">${SEVERITY_ORDER.map((name) => html`<li key=${name}>
        <span class=${`state tone-${SEVERITIES[name].tone}`}><${Shape} state=${SEVERITIES[name]} />${name}</span>
        <div class="bar thin"><span style=${{ width: `${100 * load.priority[name]}%` }}></span></div>
        <span class="number">${percent(load.priority[name])}</span>
        <span class="quiet">${TARGET[name] === null ? "" : `of ${percent(TARGET[name])}`}</span></li>`)}</ul></section>
    <div class="columns even">
      <section><h2>Worst types</h2><${TopTypes} rows=${load.top_types} onSuppress=${onSuppress} /></section>
      <section><h2>Worst sites</h2><${TopSites} rows=${load.top_sites} /></section>
    </div>`;
}

function Card({ title, measure, text }) {
  const band = bandOf(measure);
  return html`<div class=${`card tone-${band.tone}`}><h2>${title}</h2>
    <p class="figure">${measure.value === null ? "–" : text(measure.value)}</p>
    <p class="band"><${Shape} state=${band} /> ${band.word}</p>
    <p class="quiet">${measure.good ? `good up to ${text(measure.good)}` : "good is none"}, limit ${text(measure.limit)}</p></div>`;
}

function Figure({ title, value, hint = "" }) {
  return html`<div class="card"><h2>${title}</h2><p class="figure">${value}</p><p class="quiet">${hint}</p></div>`;
}

function TopTypes({ rows, onSuppress }) {
  if (!rows.length) return html`<p class="empty">None.</p>`;
  return html`<div class="scroll"><table class="plain"><thead><tr><th>Type</th><th class="number">Alarms</th><th>
    <span class="hidden">Do</span></th></tr></thead><tbody>${rows.map((row) => html`<tr key=${row.key}>
    <th scope="row"><a href=${alarmsPath(`type=${row.key}`)}>${row.name}</a> <small class="code">${row.key}</small></th>
    <td class="number">${row.count.toLocaleString("en")}</td>
    <td><button type="button" onClick=${() => onSuppress(row.key)}>Suppress…</button></td></tr>`)}</tbody></table></div>`;
}

function TopSites({ rows }) {
  if (!rows.length) return html`<p class="empty">None.</p>`;
  return html`<div class="scroll"><table class="plain"><thead><tr><th>Site</th><th class="number">Alarms</th><th>
    <span class="hidden">Do</span></th></tr></thead><tbody>${rows.map((row) => html`<tr key=${row.key}>
    <th scope="row"><a href=${sitePath(row.key)}>${row.key}</a></th>
    <td class="number">${row.count.toLocaleString("en")}</td>
    <td><a href=${alarmsPath(`site=${quoted(row.key)}`)}>Alarms</a></td></tr>`)}</tbody></table></div>`;
}
