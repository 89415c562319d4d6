/** The alarm list: filter, select, act on all that match, and the drawer of one. */
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { QueryBox } from "../fleet/querybox.js";
import { checked } from "../query.js";
import { alarmsPath, setParams } from "../router.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { useNarrow } from "../shell/narrow.js";
import { onKeys } from "../shell/keys.js";
import { useStore } from "../store.js";
import { ActDialog, ACTS } from "./acts.js";
import { ClearedList } from "./cleared.js";
import { alarmCounts } from "./counts.js";
import { Export } from "./download.js";
import { AlarmDrawer } from "./drawer.js";
import { useAlarmRows } from "./rows.js";
import { AlarmTable } from "./table.js";

const NARROW = 1000; // CSS pixels below which rows take three lines
const EVERYTHING = "sev>=warning"; // an action names what it is about, even when that is all
const CLEARED = "/alarms?list=cleared";
const BAR = ["ack", "shelve", "note", "assign", "unack", "unshelve", "clear"];
const VIEWS = [["Active", ""], ["Not acked", "op=none"], ["No incident", "incident=null"], ["Unknown", "state=unknown"],
  ["Shelved", "shelved=true"], ["Masked", "masked=true"]];

export function AlarmsPage({ route }) {
  const isPast = route.params.get("list") === "cleared";
  return isPast ? html`<${ClearedList} route=${route}
    views=${html`<${Views} q="" isPast=${true} />`} />` : html`<${ActiveList} route=${route} />`;
}

function Views({ q, isPast = false }) {
  return html`<nav class="segments" aria-label="Views">${VIEWS.map(([title, query]) => html`<a key=${title}
    href=${alarmsPath(query)} aria-current=${!isPast && q === query ? "true" : undefined}>${title}</a>`)}<a
    href=${CLEARED} aria-current=${isPast ? "true" : undefined}>Cleared</a></nav>`;
}

function ActiveList({ route }) {
  const q = route.params.get("q") ?? "";
  const sort = route.params.get("sort") ?? "";
  const show = route.params.get("show") ?? "";
  const [text, setText] = useState(q);
  const [filter, error] = checked(text, q, "alarm");
  const area = useRef(null);
  const rows = useAlarmRows({ filter, sort }, area);
  const picks = usePicks(filter, rows);
  const [act, setAct] = useState(null);
  const [said, setSaid] = useState("");
  const [box, narrow] = useNarrow(NARROW);
  const seq = useStore(alarmCounts)?.seq;
  const open = (id) => setParams({ show: id }, { replace: Boolean(show) });
  const close = () => {
    setParams({ show: "" });
    area.current?.querySelector("[role=grid]")?.focus();
  };
  const begin = (verb, target) => { setSaid(""); setAct({ verb, target }); };
  useEffect(() => onKeys({ n: () => rows.apply(), Escape: () => (picks.count ? picks.none()
    : /** @type {HTMLElement|null} */ (document.activeElement)?.blur()) }), [rows, picks.count]);
  const one = (verb) => (alarm) => begin(verb, picks.count ? picks.target() : { ids: [alarm.id] });
  const keys = { a: one("ack"), s: one("shelve"), o: one("note"), u: one("unack"),
    x: (alarm) => picks.pick([alarm.id], !picks.has(alarm.id)) };
  return html`<main class="fleet alarms-page" id="main"><h1 class="hidden">Alarms</h1>
    <div class="toolbar">
      <${QueryBox} value=${q} onText=${setText} error=${error ?? rows.error}
        placeholder="sev>=major op=none region:r0*" summary=${summary(rows)} />
      <${Views} q=${q} />
      <button type="button" class=${`waiting ${rows.waiting ? "" : "idle"}`} disabled=${!rows.waiting}
        onClick=${() => rows.apply()}>${rows.waiting} changed: <kbd>n</kbd></button>
      <${Export} filter=${filter} sort=${sort} onFailure=${setSaid} />
    </div>
    <${PickBar} picks=${picks} rows=${rows} onAct=${(verb) => begin(verb, picks.target())} />
    <p class="said" role="status">${said}</p>
    <div class=${`panes ${show ? "with-drawer" : ""}`}>
      <section class="pane pane-table" aria-label="Alarms" ref=${(element) => {
    area.current = element; box.current = element; }}>
        <${AlarmTable} rows=${rows} sort=${sort} onSort=${(value) => setParams({ sort: value })}
          picked=${picks.has} onPick=${picks.pick} onOpen=${open} shown=${show} narrow=${narrow} keys=${keys} />
        ${rows.loaded && !rows.items.length && html`<${Nothing} filter=${filter} />`}
      </section>
      ${show && html`<${AlarmDrawer} id=${show} seq=${seq} onClose=${close}
        onAct=${(verb, alarm) => begin(verb, { ids: [alarm.id] })} />`}
    </div>
    <${CopyLine} text=${`roost alarm list${filter ? ` -q ${shellWord(filter)}` : ""}`} />
    ${act && html`<${ActDialog} verb=${act.verb} target=${act.target} onClose=${() => setAct(null)}
      onDone=${(sentence) => { setAct(null); setSaid(sentence); picks.none(); rows.hear(ASK); }} />`}
  </main>`;
}

const ASK = { changed: [], gone: [], more: true, seq: -1 }; // an act's effect need not wait for the stream

function summary(rows) {
  if (!rows.loaded) return rows.error ? "" : "Reading…";
  const count = rows.count.toLocaleString("en");
  return `${count} alarm${rows.count === 1 ? "" : "s"}${rows.items.length < rows.count
    ? `, ${rows.items.length.toLocaleString("en")} read` : ""}`;
}

/** What is selected: some ids, or all that match. Another filter selects nothing. */
function usePicks(filter, rows) {
  const [ids, setIds] = useState(/** @type {Set<string>} */ (new Set()));
  const [isAll, setAll] = useState(false);
  useEffect(() => { setIds(new Set()); setAll(false); }, [filter]);
  return useMemo(() => ({
    isAll,
    ids,
    count: isAll ? rows.count : ids.size,
    has: (id) => isAll || ids.has(id),
    all: () => setAll(true),
    none: () => { setAll(false); setIds(new Set()); },
    pick(some, on) {
      const next = new Set(isAll ? rows.items.map((alarm) => alarm.id) : ids);
      for (const id of some) if (on) next.add(id); else next.delete(id);
      setAll(false);
      setIds(next);
    },
    target: () => (isAll ? { filter: filter || EVERYTHING, count: rows.count } : { ids: [...ids] }),
  }), [filter, ids, isAll, rows.count, rows.items]);
}

function PickBar({ picks, rows, onAct }) {
  if (!picks.count) return null;
  const count = picks.count.toLocaleString("en");
  const isEveryRow = !picks.isAll && rows.items.length > 0 && rows.items.every(({ id }) => picks.ids.has(id));
  return html`<div class="pick-bar" role="group" aria-label="Actions on what is selected">
    <b>${count} selected</b>
    ${isEveryRow && rows.count > picks.count && html`<button type="button" onClick=${picks.all}>
      Select all ${rows.count.toLocaleString("en")} that match</button>`}
    ${BAR.map((verb) => html`<button type="button" key=${verb} onClick=${() => onAct(verb)}>
      ${ACTS[verb].title}</button>`)}
    <button type="button" onClick=${picks.none}>Select none <kbd>Esc</kbd></button></div>`;
}

function Nothing({ filter }) {
  return html`<div class="empty"><p>${filter ? html`No alarm matches. <a href="/alarms">Show all</a>`
    : "No alarm is active."}</p>${!filter && html`<pre>roost alarm list --hidden</pre>`}</div>`;
}
