/** All events, newest first; the filter is asked of the server. */
import { html, useEffect, useState } from "../html.js";
import { usePages } from "../fetched.js";
import { queryString, request } from "../api.js";
import { QueryBox } from "../fleet/querybox.js";
import { checked } from "../query.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { onKeys } from "../shell/keys.js";
import { EventList } from "./list.js";

const NEWER_MAX = 100;
const LOOK_MS = 10_000; // how often newer events are counted

export function EventsPage({ route }) {
  const q = route.params.get("q") ?? "";
  const [text, setText] = useState(q);
  const [filter, error] = checked(text, q, "event");
  const pages = usePages("/events", { filter });
  const newer = useNewer(filter, pages.items?.[0]?.seq);
  useEffect(() => onKeys({ n: pages.reload }), [pages.reload]);
  return html`<main id="main" class="page"><h1>Events</h1>
    <div class="toolbar"><${QueryBox} value=${q} onText=${setText} error=${error ?? pages.error}
      placeholder="sev>=major site:edge-*" summary="newest first" />
      <button type="button" class=${`waiting ${newer ? "" : "idle"}`} disabled=${!newer}
        onClick=${pages.reload}>${newer ? html`${newer}${newer === NEWER_MAX ? "+" : ""} new: <kbd>n</kbd>` : "up to date"}</button></div>
    <${EventList} items=${pages.items} error=${pages.error} nothing=${filter ? html`No event matches.
      <a href="/events">Show all</a>` : "No event has come yet."} />
    ${pages.older && html`<p><button type="button" onClick=${pages.older}>Older</button></p>`}
    <${CopyLine} text=${`roost event list${filter ? ` -q ${shellWord(filter)}` : ""}`} />
  </main>`;
}

function useNewer(filter, seq) {
  const [count, setCount] = useState(0);
  useEffect(() => {
    setCount(0);
    if (seq === undefined) return undefined;
    const look = setInterval(() => {
      if (document.hidden) return;
      request(`/events${queryString({ filter, after: seq, limit: NEWER_MAX })}`)
        .then((answer) => setCount(answer.items.length), () => {});
    }, LOOK_MS);
    return () => clearInterval(look);
  }, [filter, seq]);
  return count;
}
