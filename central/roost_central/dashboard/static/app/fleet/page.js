/** The fleet: query box, heat grid and table over the same sites. The view is the address. */
import { html, useEffect, useLayoutEffect, useRef, useState } from "../html.js";
import { navigate, quoted, setParams, sitePath, fleetPath } from "../router.js";
import { onKeys } from "../shell/keys.js";
import { useNarrow } from "../shell/narrow.js";
import { useArrangement } from "./arrangement.js";
import { HeatGrid } from "./grid.js";
import { EVERYTHING, makeFilter } from "./filter.js";
import { QueryBox } from "./querybox.js";
import { FleetTable } from "./table.js";

const VIEWS = [["both", "Grid + table"], ["grid", "Grid"], ["table", "Table"]];
const NARROW = 450; // CSS pixels below which table rows take two lines

export function FleetPage({ model, route }) {
  const q = route.params.get("q") ?? "";
  const view = route.params.get("view") ?? "both";
  const sort = route.params.get("sort") ?? "-status";
  const labels = model.labelKeys();
  const group = route.params.get("group") ?? (labels.includes("region") ? "region" : "none");
  const area = useRef(null);
  const [text, setText] = useState(q);
  const { filter, error } = useFilter(text, model);
  const { groups, rows, version, waiting, apply } = useArrangement(model, { filter, group, sort }, area);
  const [tableBox, narrow] = useNarrow(NARROW, view);
  useEffect(() => onKeys({ n: apply }), [apply]);
  const open = (position) => navigate(sitePath(model.value(position, "site")));
  const groupHref = ({ label }) => {
    if (label === null) return null;
    const term = group === "status" ? `status=${label}` : `label.${group}=${quoted(label)}`;
    return fleetPath([text.trim(), term].filter(Boolean).join(" "));
  };
  return html`<main class="fleet" id="main">
    <h1 class="hidden">Fleet</h1>
    <div class="toolbar">
      <${QueryBox} value=${q} onText=${setText} error=${error}
        placeholder="region:r0* status>=degraded"
        summary=${summaryOf({ model, rows, text, filter })} />
      <${Choices} label="Group" value=${group} onChange=${(value) => setParams({ group: value })}
        options=${[...labels.map((key) => [key, key]), ["status", "status"], ["none", "none"]]} />
      <${Views} view=${view} />
      <${Change} text=${text} filter=${filter} count=${rows.length} />
      <button type="button" class=${`waiting ${waiting ? "" : "idle"}`} onClick=${apply}
        disabled=${!waiting}>${waiting} changed: <kbd>n</kbd></button>
    </div>
    ${!model.loaded ? html`<p class="empty">Reading the fleet…</p>`
    : model.size === 0 ? html`<${NoSites} />`
      : html`<div class=${`panes view-${view}`} ref=${area}>
        ${view !== "table" && html`<section class="pane pane-grid" aria-label="Heat grid">
          <${Legend} /><${HeatGrid} model=${model} groups=${groups} groupHref=${groupHref}
          onOpen=${open} /></section>`}
        ${view !== "grid" && html`<section class="pane pane-table" aria-label="Table" ref=${tableBox}>
          <${FleetTable} model=${model} rows=${rows} sort=${sort} version=${version} narrow=${narrow} isWhole=${view === "table"}
            onSort=${(value) => setParams({ sort: value })} onOpen=${open} />
          ${rows.length === 0 && html`<p class="empty">No site matches. <a href=${fleetPath("")}>Show all</a></p>`}</section>`}
      </div>`}
  </main>`;
}

/** An act on all sites that match; its dialog comes when it is opened first. */
function Change({ text, filter, count }) {
  const [Dialog, setDialog] = useState(null);
  const [target, setTarget] = useState(null);
  const [said, setSaid] = useState("");
  const open = async () => {
    const { SiteActDialog } = await import("../site/acts.js");
    setDialog(() => SiteActDialog);
    setTarget({ filter: text.trim(), count });
  };
  return html`<button type="button" onClick=${open} disabled=${filter === null || count === 0}>Change all ${count.toLocaleString("en")}…</button>
    ${said && html`<span role="status" class="quiet">${said}</span>`}
    ${Dialog && target && html`<${Dialog} target=${target} onDone=${(words) => {
    setSaid(words);
    setTarget(null);
  }} onClose=${() => setTarget(null)} />`}`;
}

function summaryOf({ model, rows, text, filter }) {
  if (!model.loaded) return "";
  const total = model.size.toLocaleString("en");
  if (!text.trim()) return `${total} sites`;
  const where = filter?.onServer ? ", answered by the server" : "";
  return `${rows.length.toLocaleString("en")} of ${total} sites${where}`;
}

/** The last query that could be read stays in force while the next is being typed. */
function useFilter(text, model) {
  const [state, setState] = useState({ filter: null, error: null });
  useLayoutEffect(() => {
    if (!model.loaded) return undefined;
    const stop = new AbortController();
    makeFilter(text, model, stop.signal).then(
      (filter) => !stop.signal.aborted && setState({ filter, error: null }),
      (error) => !stop.signal.aborted
        && setState((old) => ({ filter: old.filter ?? EVERYTHING, error })),
    );
    return () => stop.abort();
  }, [text, model, model.generation]);
  return state;
}

function Choices({ label, value, options, onChange }) {
  return html`<label class="choice"><span>${label}</span>
    <select value=${value} onChange=${(event) => onChange(event.target.value)}>
      ${options.map(([key, title]) => html`<option key=${key} value=${key}
        selected=${key === value}>${title}</option>`)}</select></label>`;
}

function Views({ view }) {
  return html`<div class="segments" role="group" aria-label="View">
    ${VIEWS.map(([key, title]) => html`<button type="button" key=${key} aria-pressed=${view === key}
      onClick=${() => setParams({ view: key === "both" ? "" : key })}>${title}</button>`)}</div>`;
}

function Legend() {
  return html`<p class="legend">one cell is one site<span class="by-keys"> · <kbd>←</kbd><kbd>↑</kbd><kbd>↓</kbd>
    <kbd>→</kbd> move · <kbd>Enter</kbd> opens</span></p>`;
}

function NoSites() {
  return html`<div class="empty">
    <p>No site is known yet. The first beat of an agent adds one, or:</p>
    <pre>roost site import sites.ndjson
roost demo --sites 500</pre></div>`;
}
