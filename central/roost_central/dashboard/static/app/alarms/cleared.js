/** What is over: closed alarms, the newest first, by a filter. More are read as they are asked for. */
import { html, useEffect, useState } from "../html.js";
import { queryString, request } from "../api.js";
import { QueryBox } from "../fleet/querybox.js";
import { alarmsPath, sitePath } from "../router.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { ageText, Time } from "../time.js";
import { Export } from "./download.js";
import { entityRest, Severity } from "./show.js";

const PAGE = 100;

export function ClearedList({ q, views, checked }) {
  const [text, setText] = useState(q);
  const [filter, error] = checked(text, q);
  const [said, setSaid] = useState("");
  const { items, next, failure, isReading, more } = useHistory(filter);
  return html`<main class="page alarms-cleared" id="main"><h1>Cleared alarms</h1>
    <div class="toolbar">
      <${QueryBox} value=${q} onText=${setText} error=${error ?? failure}
        placeholder="sev>=major region:r0*" summary=${`${items.length}${next ? "+" : ""} read`} />
      ${views}
      <${Export} path="/alarms/history" filter=${filter} onFailure=${setSaid} />
    </div>
    <p class="said" role="status">${said}</p>
    ${failure && !items.length ? html`<${Problem} error=${failure} />`
    : html`<${Rows} items=${items} isReading=${isReading} />`}
    ${next && html`<p><button type="button" disabled=${isReading} onClick=${more}>More</button></p>`}
    <${CopyLine} text=${`roost alarm history${filter ? ` -q ${shellWord(filter)}` : ""}`} /></main>`;
}

/** The pages of a filter's history that were asked for. */
function useHistory(filter) {
  const none = { filter, items: [], next: null, failure: null, isReading: true };
  const [state, setState] = useState(none);
  const read = (cursor, signal) => request(`/alarms/history${queryString({ filter, limit: PAGE, cursor })}`, { signal }).then(
    (page) => setState((old) => ({ ...old, filter, failure: null, isReading: false, next: page.next,
      items: cursor ? [...old.items, ...page.items] : page.items })),
    (failure) => { if (!signal?.aborted) setState((old) => ({ ...old, failure, isReading: false })); },
  );
  useEffect(() => {
    const stop = new AbortController();
    setState(none);
    read("", stop.signal);
    return () => stop.abort();
  }, [filter]);
  const more = () => { setState((old) => ({ ...old, isReading: true })); read(state.next); };
  return { ...state, more };
}

function Rows({ items, isReading }) {
  if (!items.length) return html`<p class="empty">${isReading ? "Reading…" : "No alarm was cleared that matches."}</p>`;
  return html`<div class="scroll"><table class="plain alarm-plain"><thead><tr><th>Severity</th><th>Cleared</th>
    <th>Lasted</th><th>Site</th><th>Type</th><th>What was wrong</th><th>Why it ended</th></tr></thead>
    <tbody>${items.map((alarm) => html`<tr key=${alarm.id}>
      <td><${Severity} alarm=${alarm} /></td><td><${Time} at=${alarm.cleared} /></td>
      <td>${ageText(Math.max(0, (Date.parse(alarm.cleared) - Date.parse(alarm.raised)) / 1000))}</td>
      <td>${alarm.site ? html`<a href=${sitePath(alarm.site)}>${alarm.site}</a>` : "–"}</td>
      <td><a href=${alarmsPath("", alarm.key_id)}>${alarm.name}</a> <small class="code">${alarm.type}</small></td>
      <td>${alarm.text} <small>${entityRest(alarm)}</small></td><td>${alarm.reason || "–"}</td></tr>`)}</tbody></table></div>`;
}
