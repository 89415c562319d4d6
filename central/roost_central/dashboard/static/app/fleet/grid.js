/**
 * The heat grid: one cell a site on a canvas, grouped; headings and cursor are elements over it.
 *
 * Frames repaint only the cells they touch. Everything it shows is in the table too, and a hidden
 * summary tells the groups.
 */
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../html.js";
import { prefs } from "../prefs.js";
import { useStore } from "../store.js";
import { SITE_STATES, STATUS_NAMES, Shape } from "../status.js";
import { ageText, serverNow } from "../time.js";
import { countStates } from "./arrange.js";
import { TELEPHONE, useMedia } from "../shell/narrow.js";
import { PITCH_TOUCHED, cellAt, hit, layOut, step } from "./layout.js";
import { drawTiles } from "./tiles.js";

const CANVAS_PIXELS_MAX = 16_000; // of one side; beyond it browsers draw nothing

export function HeatGrid({ model, groups, groupHref, onOpen }) {
  const box = useRef(null);
  const canvas = useRef(null);
  const { width, height } = useSize(box);
  const theme = useTheme();
  const [cursor, setCursor] = useState(/** @type {{index: number, by: string}|null} */ (null));
  const least = useMedia(TELEPHONE) ? PITCH_TOUCHED : 0;
  const layout = useMemo(() => layOut(groups, Math.max(width, 1), height, least),
    [groups, width, height, least]);
  usePaint({ box, canvas, model, layout, theme, width });
  const counts = useMemo(() => groups.map((group) => countStates(model, group.positions)),
    [groups, model.version]);
  const index = cursor && cursor.index < layout.cells.length ? cursor.index : -1;

  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && index >= 0) onOpen(layout.cells[index]);
    if (event.key === "Escape") setCursor(null);
    if (!/^(Arrow|Home$|End$)/.test(event.key) || !layout.cells.length) return;
    event.preventDefault();
    setCursor({ index: index < 0 ? 0 : step(layout, index, event.key), by: "keys" });
  };
  const at = (event) => {
    const frame = canvas.current.getBoundingClientRect();
    return hit(layout, event.clientX - frame.left, event.clientY - frame.top);
  };
  const onMove = (event) => {
    const found = at(event);
    if (found !== index) setCursor(found < 0 ? null : { index: found, by: "pointer" });
  };
  const onClick = (event) => {
    const found = at(event);
    if (found >= 0) onOpen(layout.cells[found]);
  };
  return html`<div class="heat" ref=${box}>
    <div class="heat-field">
      <canvas ref=${canvas} tabindex="0" role="application" aria-roledescription="heat grid"
        aria-label="Sites by group, one cell each. Arrow keys move, Enter opens."
        aria-describedby="heat-summary" onKeyDown=${onKey} onMouseMove=${onMove}
        onMouseLeave=${() => setCursor((old) => (old?.by === "pointer" ? null : old))}
        onClick=${onClick} onBlur=${() => setCursor(null)}
        onFocus=${() => setCursor((old) => old ?? { index: 0, by: "keys" })}></canvas>
      ${layout.blocks.map((block, i) => html`<${Heading} key=${groups[i].name} block=${block}
        group=${groups[i]} counts=${counts[i]} href=${groupHref(groups[i])} />`)}
      ${index >= 0 && html`<${Cursor} model=${model} layout=${layout} index=${index}
        by=${cursor.by} />`}
    </div>
    <${Summary} groups=${groups} counts=${counts} />
  </div>`;
}

function Heading({ block, group, counts, href }) {
  const total = group.positions.length;
  const wrong = total - counts[0];
  return html`<div class="heat-heading" style=${{ left: `${block.x}px`, top: `${block.y - 20}px` }}>
    ${href ? html`<a href=${href} title=${`show only ${group.name}`}>${group.name}</a>`
    : html`<span>${group.name}</span>`}
    <small>${wrong ? html`<b>${wrong}</b>` : ""}${wrong < total && `${wrong ? " of " : ""}${total}`}</small></div>`;
}

/** The ring around a cell and what it says, kept inside the window. */
function Cursor({ model, layout, index, by }) {
  const tip = useRef(null);
  const corner = cellAt(layout, index);
  const position = layout.cells[index];
  const size = layout.pitch;
  useLayoutEffect(() => {
    const { style } = tip.current;
    style.transform = "";
    const frame = tip.current.getBoundingClientRect();
    const area = tip.current.closest(".heat").getBoundingClientRect();
    const left = Math.min(0, area.right - frame.right - 8);
    const up = frame.bottom > Math.min(area.bottom, innerHeight) ? -frame.height - size - 12 : 0;
    style.transform = `translate(${left}px, ${up}px)`;
    if (by === "keys") tip.current.previousSibling.scrollIntoView({ block: "nearest" });
  }, [index, layout]);
  const place = { left: `${corner.x}px`, top: `${corner.y}px` };
  return html`
    <div class="heat-ring" style=${{ ...place, width: `${size - 1}px`, height: `${size - 1}px` }}>
      </div>
    <div class="heat-tip" ref=${tip} style=${{ ...place, marginTop: `${size + 6}px` }}
      role="status" aria-live=${by === "keys" ? "polite" : "off"}>${describe(model, position)}</div>`;
}

function describe(model, position) {
  const state = SITE_STATES[model.codes[position]];
  const heard = model.value(position, "heard_ms");
  const labels = model.labelKeys().map((key) => model.value(position, `label.${key}`));
  const said = heard === null ? "never heard" : `heard ${ageText((serverNow() - heard) / 1000)} ago`;
  return html`<strong>${model.value(position, "site")}</strong>
    <span class=${`state tone-${state.tone}`}><${Shape} state=${state} />${state.name}</span>
    <span>${said}</span>
    <span class="quiet">${labels.filter((value) => value !== null).slice(0, 4).join(" · ")}</span>`;
}

function Summary({ groups, counts }) {
  return html`<table class="hidden" id="heat-summary"><caption>Sites by group and status</caption>
    <thead><tr><th>Group</th>${STATUS_NAMES.map((name) => html`<th>${name}</th>`)}</tr></thead>
    <tbody>${groups.map((group, i) => html`<tr key=${group.name}><th>${group.name}</th>
      ${counts[i].map((count) => html`<td>${count}</td>`)}</tr>`)}</tbody></table>`;
}

/** Paint all when the layout or the theme changes, and single cells as frames touch them. */
function usePaint({ box, canvas, model, layout, theme, width }) {
  useLayoutEffect(() => {
    if (!width) return undefined;
    const scale = Math.min(devicePixelRatio, CANVAS_PIXELS_MAX / Math.max(layout.height, 1));
    const target = canvas.current;
    target.width = Math.round(layout.width * scale);
    target.height = Math.round(layout.height * scale);
    target.style.width = `${layout.width}px`;
    target.style.height = `${layout.height}px`;
    const context = target.getContext("2d");
    const tiles = drawTiles(box.current, layout.pitch, scale);
    const indexOf = new Int32Array(model.size).fill(-1);
    layout.cells.forEach((position, i) => { indexOf[position] = i; });
    paintAll({ context, tiles, model, layout, scale });
    return model.subscribe((touched) => {
      if (touched === null) return; // a new snapshot brings a new layout
      for (const position of touched) {
        const corner = cellAt(layout, indexOf[position]);
        if (corner) paint({ context, tile: tiles[model.codes[position]], scale, ...corner });
      }
    });
  }, [model, layout, theme, width]);
}

function paintAll({ context, tiles, model, layout, scale }) {
  const { pitch } = layout;
  for (const block of layout.blocks) {
    for (let i = 0; i < block.count; i += 1) {
      const x = Math.round((block.x + (i % block.perLine) * pitch) * scale);
      const y = Math.round((block.y + Math.floor(i / block.perLine) * pitch) * scale);
      context.drawImage(tiles[model.codes[layout.cells[block.from + i]]], x, y);
    }
  }
}

function paint({ context, tile, scale, x, y }) {
  const [left, top] = [Math.round(x * scale), Math.round(y * scale)];
  context.clearRect(left, top, tile.width, tile.height);
  context.drawImage(tile, left, top);
}

/** @returns {{width: number, height: number}} of what is in view, without the padding */
function useSize(box) {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const read = () => {
      const { paddingLeft, paddingTop } = getComputedStyle(box.current);
      const width = Math.floor(box.current.clientWidth - 2 * parseFloat(paddingLeft));
      const height = Math.floor(box.current.clientHeight - 2 * parseFloat(paddingTop));
      setSize((old) => (old.width === width && old.height === height ? old : { width, height }));
    };
    const observer = new ResizeObserver(read);
    observer.observe(box.current);
    read();
    return () => observer.disconnect();
  }, []);
  return size;
}

/** @returns {string} changes when the colours do */
function useTheme() {
  const { theme } = useStore(prefs);
  const [dark, setDark] = useState(false);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const read = () => setDark(query.matches);
    read();
    query.addEventListener("change", read);
    return () => query.removeEventListener("change", read);
  }, []);
  return `${theme} ${dark}`;
}
