/** Alarms as a virtual table: rows to select, to act on, and to open. */
import { html, useEffect, useRef, useState } from "../html.js";
import { incidentPath } from "../router.js";
import { Age } from "../time.js";
import { useVirtualRows } from "../virtual.js";
import { entityRest, Marks, OpState, Place, Severity, shortIncident } from "./show.js";

const ROW = 30;
const ROW_NARROW = 66; // three lines, where columns would not fit
const NEAR_END = 40; // rows before the last at which the next page is read

const COLUMNS = [
  { key: "pick", width: "34px" },
  { key: "severity", title: "Severity", width: "110px", sort: "severity" },
  { key: "age", title: "Age", width: "82px", sort: "raised" },
  { key: "place", title: "Site and node", width: "minmax(130px, 1.1fr)", sort: "site" },
  { key: "type", title: "Type", width: "minmax(130px, 1fr)", sort: "type" },
  { key: "text", title: "What is wrong", width: "minmax(180px, 2.4fr)" },
  { key: "count", title: "n", width: "46px", sort: "count" },
  { key: "op", title: "Operator", width: "minmax(90px, .8fr)" },
  { key: "incident", title: "Incident", width: "116px" },
  { key: "owner", title: "Owner", width: "72px" },
];

/**
 * @param {{rows: import("./rows.js").AlarmRows, sort: string, onSort: (sort: string) => void,
 *   picked: (id: string) => boolean, onPick: (ids: string[], on: boolean) => void,
 *   onOpen: (id: string) => void, shown: string, narrow: boolean,
 *   keys: Record<string, (alarm: any) => void>}} given
 */
export function AlarmTable({ rows, sort, onSort, picked, onPick, onOpen, shown, narrow, keys }) {
  const scroller = useRef(null);
  const [active, setActive] = useState(0);
  const { items } = rows;
  const rowHeight = narrow ? ROW_NARROW : ROW;
  const { from, to, height, reveal } = useVirtualRows(scroller, items.length, rowHeight);
  const current = Math.max(0, Math.min(active, items.length - 1));
  useEffect(() => {
    if (to > items.length - NEAR_END) rows.more();
  }, [to, items.length]);
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !items.length) return;
    if (event.target !== scroller.current) return;
    const page = Math.max(1, to - from - 13);
    const next = { ArrowDown: current + 1, ArrowUp: current - 1, PageDown: current + page,
      PageUp: current - page, Home: 0, End: items.length - 1 }[event.key];
    if (next !== undefined) {
      const bounded = Math.max(0, Math.min(items.length - 1, next));
      setActive(bounded);
      reveal(bounded);
    } else if (event.key === "Enter") onOpen(items[current].id);
    else if (event.key === " ") onPick([items[current].id], !picked(items[current].id));
    else if (keys[event.key]) keys[event.key](items[current]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const template = narrow ? {} : { gridTemplateColumns: COLUMNS.map(({ width }) => width).join(" ") };
  const all = items.length > 0 && items.every(({ id }) => picked(id));
  return html`<div class=${`rows alarm-rows ${narrow ? "narrow" : ""}`} ref=${scroller} role="grid"
      tabindex="0" aria-label="Alarms" aria-rowcount=${(rows.count ?? items.length) + 1}
      aria-colcount=${COLUMNS.length} aria-multiselectable="true" onKeyDown=${onKey}
      aria-activedescendant=${items.length ? `alarm-${current}` : undefined}>
    <div class="row head" role="row" aria-rowindex="1" style=${template} data-sticky>
      <div role="columnheader" class="cell c-pick"><label class="pick" title="all rows that are read">
        <input type="checkbox" checked=${all} aria-label="select all rows that are read"
          onChange=${(event) => onPick(items.map(({ id }) => id), event.target.checked)} /></label></div>
      ${COLUMNS.slice(1).map((column) => html`<${Head} key=${column.key} column=${column}
        sort=${sort} onSort=${onSort} />`)}
    </div>
    <div class="rows-body" role="rowgroup" style=${{ height: `${height}px` }}>
      ${items.slice(from, to).map((alarm, offset) => html`<${Row} key=${alarm.id} alarm=${alarm}
        index=${from + offset} active=${from + offset === current} isShown=${alarm.key_id === shown
          || alarm.id === shown} hasLeft=${rows.left.has(alarm.id)} isPicked=${picked(alarm.id)}
        style=${{ ...template, height: `${rowHeight}px`,
    transform: `translateY(${(from + offset) * rowHeight}px)` }}
        onPick=${onPick} onOpen=${onOpen} onPoint=${setActive} />`)}
    </div>
  </div>`;
}

function Head({ column, sort, onSort }) {
  if (!column.sort) return html`<div role="columnheader" class=${`cell c-${column.key}`}>${column.title}</div>`;
  const on = sort.replace(/^-/, "") === column.sort;
  const down = on && sort.startsWith("-");
  return html`<div role="columnheader" class=${`cell c-${column.key}`}
      aria-sort=${on ? (down ? "descending" : "ascending") : "none"}>
    <button type="button" title=${`sort by ${column.title}`}
      onClick=${() => onSort(on && down ? column.sort : `-${column.sort}`)}>
      ${column.title}${on ? (down ? " ↓" : " ↑") : ""}</button></div>`;
}

function Row({ alarm, index, active, isShown, hasLeft, isPicked, style, onPick, onOpen, onPoint }) {
  const click = (event) => {
    onPoint(index);
    if (!event.target.closest("a, label")) onOpen(alarm.id);
  };
  const named = `${alarm.severity} ${alarm.name} ${alarm.site}`;
  const kind = [active && "active", isShown && "shown", hasLeft && "left",
    alarm.state !== "active" && "stale"].filter(Boolean).join(" ");
  return html`<div class=${`row ${kind}`} role="row" id=${`alarm-${index}`} aria-rowindex=${index + 2}
      aria-selected=${isPicked} data-id=${alarm.id} style=${style} onClick=${click}
      title=${hasLeft ? "no longer in this list" : undefined}>
    <div role="gridcell" class="cell c-pick"><label class="pick"><input type="checkbox" tabindex="-1"
      checked=${isPicked} aria-label=${`select ${named}`}
      onChange=${(event) => onPick([alarm.id], event.target.checked)} /></label></div>
    <div role="gridcell" class="cell c-severity"><${Severity} alarm=${alarm} /></div>
    <div role="gridcell" class="cell c-age"><${Age} at=${alarm.raised} /></div>
    <div role="gridcell" class="cell c-place"><${Place} alarm=${alarm} tabindex="-1" /></div>
    <div role="gridcell" class="cell c-type" title=${`${alarm.type} ${alarm.name} ${alarm.entity}`}>
      <span class="code">${alarm.type}</span> <span class="quiet">${entityRest(alarm) || alarm.name}</span></div>
    <div role="gridcell" class="cell c-text" title=${alarm.text}>${alarm.text}<${Marks} alarm=${alarm} /></div>
    <div role="gridcell" class="cell c-count">${alarm.count}</div>
    <div role="gridcell" class="cell c-op"><${OpState} alarm=${alarm} /></div>
    <div role="gridcell" class="cell c-incident">${alarm.incident && html`<a tabindex="-1"
      href=${incidentPath(alarm.incident)} title=${alarm.incident}>${shortIncident(alarm.incident)}</a>`}</div>
    <div role="gridcell" class="cell c-owner">${alarm.assignee ?? ""}</div>
  </div>`;
}
