/** All events, newest first; the filter is asked of the server. */
import { html, useEffect, useState } from "../html.js";
import { useFetched } from "../fetched.js";
import { queryString, request } from "../api.js";
import { QueryBox } from "../fleet/querybox.js";
import { parse, requireAvailable } from "../query.js";
import { onKeys } from "../shell/keys.js";
import { EventList } from "./list.js";

const PAGE = 100;
const LOOK_MS = 10_000; // how often newer events are counted
const OLDER_PAGES_MAX = 10; // 1,000 rows; beyond that a filter or the command line serves better

export function EventsPage({ route }) {
  const q = route.params.get("q") ?? "";
  const [text, setText] = useState(q);
  const [filter, error] = checked(text, q);
  const first = useFetched(`/events${queryString({ filter, limit: PAGE })}`);
  const [older, setOlder] = useState({ items: [], next: null, pages: 0 });
  const newer = useNewer(filter, first.value?.items?.[0]?.seq);
  useEffect(() => setOlder({ items: [], next: first.value?.next ?? null, pages: 0 }), [first.value]);
  useEffect(() => onKeys({ n: first.reload }), [first.reload]);
  const more = async () => {
    const answer = await request(`/events${queryString({ filter, limit: PAGE, cursor: older.next })}`);
    setOlder((old) => ({
      items: [...old.items, ...answer.items], next: answer.next, pages: old.pages + 1,
    }));
  };
  return html`<main id="main" class="page"><h1>Events</h1>
    <div class="toolbar"><${QueryBox} value=${q} onText=${setText} error=${error ?? first.error}
      placeholder="sev>=major site:edge-*" summary="newest first" />
      <button type="button" class=${`waiting ${newer ? "" : "idle"}`} disabled=${!newer}
        onClick=${first.reload}>${newer ? html`${newer}${newer === PAGE ? "+" : ""} new: <kbd>n</kbd>` : "up to date"}</button></div>
    <${EventList} items=${first.value && [...first.value.items, ...older.items]} error=${first.error} />
    ${older.next && older.pages < OLDER_PAGES_MAX && html`<p>
      <button type="button" onClick=${more}>Older</button></p>`}
  </main>`;
}

/** The last text that is a query on events, and what is wrong with the one being typed. */
function checked(text, fallback) {
  try {
    requireAvailable(parse(text), "event");
    return [text.trim(), null];
  } catch (error) {
    return [fallback, error];
  }
}

function useNewer(filter, seq) {
  const [count, setCount] = useState(0);
  useEffect(() => {
    setCount(0);
    if (seq === undefined) return undefined;
    const look = setInterval(() => {
      if (document.hidden) return;
      request(`/events${queryString({ filter, after: seq, limit: PAGE })}`)
        .then((answer) => setCount(answer.items.length), () => {});
    }, LOOK_MS);
    return () => clearInterval(look);
  }, [filter, seq]);
  return count;
}
