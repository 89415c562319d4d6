/** The fleet as a virtual table: the same sites as the grid, in the order of the chosen sort. */
import { html, useRef, useState } from "../html.js";
import { SEVERITIES, SITE_STATES, Shape, UNKNOWN } from "../status.js";
import { sitePath } from "../router.js";
import { Age } from "../time.js";
import { useVirtualRows } from "../virtual.js";
import { useWorst } from "./worst.js";

const ROW = 28;
const ROW_NARROW = 48; // two lines, where columns would not fit
const STALE_MS = 90_000; // three WAN beats of the usual 30 s
const LABELS_MAX = 6; // columns; the site's page has them all
const LABELS_BESIDE = 0; // where the grid, which groups by one, takes half of the page

/** @typedef {{key: string, title: string, width: string, cell: (position: number) => any}} Column */

export function FleetTable({ model, rows, sort, onSort, onOpen, narrow, isWhole, version }) {
  const scroller = useRef(null);
  const [active, setActive] = useState(0);
  const rowHeight = narrow ? ROW_NARROW : ROW;
  const { from, to, height, reveal } = useVirtualRows(scroller, rows.length, rowHeight);
  const columns = columnsOf(model, useWorst(), isWhole ? LABELS_MAX : LABELS_BESIDE);
  const current = Math.min(active, rows.length - 1);

  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && event.target === scroller.current && rows.length) {
      onOpen(rows[current]);
    }
    const page = Math.max(1, to - from - 13);
    const next = {
      ArrowDown: current + 1, ArrowUp: current - 1, PageDown: current + page,
      PageUp: current - page, Home: 0, End: rows.length - 1,
    }[event.key];
    if (next === undefined || !rows.length) return;
    event.preventDefault();
    const bounded = Math.max(0, Math.min(rows.length - 1, next));
    setActive(bounded);
    reveal(bounded);
  };
  const template = { gridTemplateColumns: columns.map((column) => column.width).join(" ") };
  const shown = [];
  for (let index = from; index < to; index += 1) shown.push(index);
  return html`<div class=${`rows ${narrow ? "narrow" : ""}`} ref=${scroller} role="grid" tabindex="0"
      aria-label="Sites" aria-rowcount=${rows.length + 1} aria-colcount=${columns.length}
      aria-activedescendant=${rows.length ? `row-${current}` : undefined} onKeyDown=${onKey}
      data-version=${version}>
    <div class="row head" role="row" aria-rowindex="1" style=${narrow ? {} : template} data-sticky>
      ${columns.map((column) => html`<${HeadCell} key=${column.key} column=${column} sort=${sort}
        onSort=${onSort} />`)}
    </div>
    <div class="rows-body" role="rowgroup" style=${{ height: `${height}px` }}>
      ${shown.map((index) => html`<${Row} key=${rows[index]} index=${index} columns=${columns}
        position=${rows[index]} active=${index === current} style=${{
    ...(narrow ? {} : template), height: `${rowHeight}px`, transform: `translateY(${index * rowHeight}px)`,
  }} code=${model.codes[rows[index]]} onOpen=${onOpen} onPoint=${setActive} />`)}
    </div>
  </div>`;
}

function HeadCell({ column, sort, onSort }) {
  if (column.unsorted) return html`<div role="columnheader" class=${`cell c-${column.kind}`}>${column.title}</div>`;
  const on = sort.replace(/^-/, "") === column.key;
  const down = on && sort.startsWith("-");
  const state = { true: down ? "descending" : "ascending", false: "none" }[String(on)];
  return html`<div role="columnheader" aria-sort=${state} class=${`cell c-${column.kind}`}>
    <button type="button" onClick=${() => onSort(on && !down ? `-${column.key}` : column.key)}
      title=${`sort by ${column.title}`}>${column.title}${on ? (down ? " ↓" : " ↑") : ""}</button>
        </div>`;
}

function Row({ index, columns, position, active, style, code, onOpen, onPoint }) {
  const click = (event) => {
    onPoint(index);
    if (!event.target.closest("a")) onOpen(position);
  };
  return html`<div class=${`row ${active ? "active" : ""} ${code === UNKNOWN ? "stale" : ""}`}
      role="row" id=${`row-${index}`} aria-rowindex=${index + 2} style=${style} onClick=${click}>
    ${columns.map((column) => html`<div role="gridcell" key=${column.key}
      class=${`cell c-${column.kind}`}>${column.cell(position)}</div>`)}</div>`;
}

/** @returns {Column[]} */
function columnsOf(model, worst, labels) {
  const text = (field) => (position) => model.value(position, field)
    ?? html`<span class="never" aria-label="not set">–</span>`;
  return [
    { key: "status", kind: "status", title: "Status", width: "118px", cell: (position) => {
      const state = SITE_STATES[model.codes[position]];
      return html`<span class=${`state tone-${state.tone}`}>
        <${Shape} state=${state} />${state.name}</span>`;
    } },
    { key: "site", kind: "site", title: "Site", width: "minmax(140px, 3fr)", cell: (position) => {
      const site = model.value(position, "site");
      return html`<a href=${sitePath(site)} tabindex="-1">${site}</a>`;
    } },
    { key: "heard", kind: "age", title: "Heard", width: "88px", cell: (position) => html`<${Age}
      at=${model.value(position, "heard_ms")} staleMs=${STALE_MS} />` },
    { key: "nodes", kind: "nodes", title: "Nodes", width: "72px",
      cell: (position) => nodesCell(model, position) },
    { key: "alarm", kind: "alarm", title: "Worst alarm", width: "minmax(110px, 4fr)", unsorted: true,
      cell: (position) => alarmCell(worst?.get(model.value(position, "site"))) },
    ...model.labelKeys().slice(0, labels).map((key) => ({
      key, kind: "label", title: key, width: "minmax(72px, 1fr)", cell: text(`label.${key}`),
    })),
  ];
}

/** Why a site is not well: its worst alarm, and how many more it has. */
function alarmCell(alarm) {
  if (!alarm) return "";
  const severity = SEVERITIES[alarm.severity] ?? SEVERITIES.warning;
  return html`<span class=${`tone-${severity.tone}`} title=${`${alarm.severity}: ${alarm.text}`}>
    <${Shape} state=${severity} /><span class="hidden">${alarm.severity}</span></span> ${alarm.text}${alarm.count > 1
  && html` <small>+${alarm.count - 1}</small>`}`;
}

/** Nodes heard of all, and in words what they are. */
function nodesCell(model, position) {
  const counts = ["online", "degraded", "unreachable", "unknown"]
    .map((field) => [field, model.value(position, field) ?? 0]);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const words = counts.filter(([, count]) => count).map(([name, count]) => `${count} ${name}`);
  if (!total) return html`<span class="never" title="no node is known">–</span>`;
  const heard = counts[0][1] + counts[1][1];
  return html`<span class=${heard < total ? "short" : ""} title=${words.join(", ")}>
    ${heard}<span class="quiet"> / ${total}</span></span>`;
}
