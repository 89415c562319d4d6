/** What is over: cleared alarms, the newest first, with how long each stood and why it ended. */
import { html, useEffect, useState } from "../html.js";
import { usePages } from "../fetched.js";
import { QueryBox } from "../fleet/querybox.js";
import { checked } from "../query.js";
import { setParams } from "../router.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { onKeys } from "../shell/keys.js";
import { useStore } from "../store.js";
import { ageText, Time } from "../time.js";
import { alarmCounts, onAlarms } from "./counts.js";
import { Export } from "./download.js";
import { AlarmDrawer } from "./drawer.js";
import { entityRest, Place, Severity } from "./show.js";

const SINCE = [["24h", "last 24 hours"], ["7d", "last 7 days"], ["30d", "last 30 days"], ["", "all that is kept"]];
const SINCE_FIRST = "7d";
const COLUMNS = [["when", "Cleared"], ["was", "Was"], ["stood", "Stood"], ["place", "Site and node"], ["type", "Type"],
  ["what", "What was wrong"], ["why", "Why it ended"]]; // in a narrow box a row takes lines, so roles are named
const GONE_MAX = 1_000; // more are not counted one by one
const EVER = "3650d"; // longer than anything is kept

export function ClearedList({ route, views }) {
  const q = route.params.get("q") ?? "";
  const show = route.params.get("show") ?? "";
  const asked = route.params.get("since") ?? SINCE_FIRST;
  const since = asked === "all" ? "" : asked;
  const [text, setText] = useState(q);
  const [filter, error] = checked(text, q, "alarm");
  const pages = usePages("/alarms/history", { filter, since });
  const seq = useStore(alarmCounts)?.seq;
  const [said, setSaid] = useState("");
  const gone = useGone(pages);
  useEffect(() => onKeys({ n: pages.reload }), [pages.reload]);
  const close = () => {
    setParams({ show: "" });
    document.getElementById(`cleared-${show}`)?.focus();
  };
  return html`<main class="fleet alarms-page alarms-cleared" id="main"><h1 class="hidden">Cleared alarms</h1>
    <div class="toolbar">
      <${QueryBox} value=${q} onText=${setText} error=${error ?? pages.error}
        placeholder="sev>=major site:edge-*" summary=${summary(pages)} />
      ${views}
      <label class="choice">Cleared in <select value=${since}
        onChange=${(event) => setParams({ since: event.target.value || "all" })}>${SINCE.map(([value, title]) => html`<option
          key=${value} value=${value}>${title}</option>`)}</select></label>
      <button type="button" class=${`waiting ${gone ? "" : "idle"}`} disabled=${!gone}
        onClick=${pages.reload}>${gone} cleared: <kbd>n</kbd></button>
      <${Export} path="/alarms/history" filter=${filter} since=${since} onFailure=${setSaid} />
    </div>
    <p class="said" role="status">${said}</p>
    <div class=${`panes ${show ? "with-drawer" : ""}`}>
      <section class="pane pane-table" aria-label="Cleared alarms"><div class="cleared" tabindex="0" role="region"
        aria-label="Cleared alarms, newest first"><${ClearedRows} pages=${pages} shown=${show} /></div></section>
      ${show && html`<${AlarmDrawer} id=${show} seq=${seq} onClose=${close} />`}
    </div>
    <${CopyLine} text=${["roost alarm export", `--since ${since || EVER}`, filter && `-q ${shellWord(filter)}`]
    .filter(Boolean).join(" ")} />
  </main>`;
}

function summary({ items, older, error }) {
  if (!items) return error ? "" : "Reading…";
  return `${items.length.toLocaleString("en")}${older ? "+" : ""} cleared, newest first`;
}

/** How many alarms ended since the list was read, also those that it would not show. */
function useGone({ first, items }) {
  const [gone, setGone] = useState(/** @type {Set<string>} */ (new Set()));
  useEffect(() => {
    setGone(new Set());
    return onAlarms((word) => setGone((old) => (old.size < GONE_MAX ? new Set([...old, ...word.gone]) : old)));
  }, [first]);
  const known = new Set(items?.map(({ id }) => id));
  return [...gone].filter((id) => !known.has(id)).length;
}

function ClearedRows({ pages: { items, error, older }, shown }) {
  if (error && !items) return html`<${Problem} error=${error} />`;
  if (!items) return html`<p class="empty">Reading…</p>`;
  if (!items.length && !older) {
    return html`<div class="empty"><p>Nothing that matches was cleared in this time.</p><pre>roost alarm history</pre></div>`;
  }
  return html`<table class="plain" role="table"><thead role="rowgroup"><tr role="row">${COLUMNS.map(([key, title]) => html`<th
      role="columnheader" key=${key} class=${`c-${key}`}>${title}</th>`)}</tr></thead>
    <tbody role="rowgroup">${items.map((alarm) => html`<tr role="row" key=${alarm.id} class=${alarm.id === shown ? "shown" : ""}>
      <td role="cell" class="c-when"><${Time} at=${alarm.cleared} /></td>
      <td role="cell" class="c-was"><${Severity} alarm=${{ ...alarm, state: "active" }} /></td>
      <td role="cell" class="c-stood">${stood(alarm)}</td>
      <td role="cell" class="c-place"><${Place} alarm=${alarm} /></td>
      <td role="cell" class="c-type"><a href=${addressOf(alarm.id)} id=${`cleared-${alarm.id}`}>${alarm.name}</a>${" "}
        <small class="code">${alarm.type}</small></td>
      <td role="cell" class="c-what">${alarm.text} <small>${entityRest(alarm)}</small></td>
      <td role="cell" class="c-why">${alarm.reason}</td></tr>`)}</tbody></table>
    ${older && html`<p class="older"><button type="button" onClick=${older}>Older</button></p>`}`;
}

/** This view with the drawer of one alarm. */
function addressOf(id) {
  const params = new URLSearchParams(location.search);
  params.set("show", id);
  return `/alarms?${params}`;
}

function stood({ raised, cleared }) {
  return raised && cleared ? ageText((Date.parse(cleared) - Date.parse(raised)) / 1000) : "–";
}
