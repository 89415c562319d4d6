/** What stands around every page: name, pages, counts, freshness, clock, theme, help. */
import { html, useEffect, useRef, useState } from "../html.js";
import { connection, pause } from "../live/client.js";
import { prefs, setPrefs } from "../prefs.js";
import { navigate } from "../router.js";
import { useStore } from "../store.js";
import { ageText, second, serverNow, timeText } from "../time.js";
import { request } from "../api.js";
import { AlarmCounts, IncidentStrip } from "./alarms.js";
import { Banner } from "./banner.js";
import { HelpDialog } from "./help.js";
import { onKeys } from "./keys.js";
import { Mark } from "./mark.js";
import { PAGES, Pages } from "./pages.js";

/** @type {Record<string, import("../prefs.js").Prefs["theme"]>} */
const NEXT_THEME = { auto: "dark", dark: "light", light: "auto" };
const LATER = {
  views: () => import("../views/dialog.js").then((m) => m.ViewsDialog),
  palette: () => import("../palette/palette.js").then((m) => m.Palette),
};
const HEADROOM = 16; // CSS pixels between the head and what has the focus
const WITH_STRIP = new Set(["fleet", "alarms", "incidents"]);

export function Shell({ route, model, children }) {
  const [opened, setOpened] = useState("");
  const head = useHeadroom();
  const { condition } = useStore(connection);
  const { theme, clock } = useStore(prefs);
  const turn = {
    theme: () => setPrefs({ theme: NEXT_THEME[prefs.get().theme] }),
    clock: () => setPrefs({ clock: prefs.get().clock === "utc" ? "browser" : "utc" }),
    pause: () => pause(connection.get().condition !== "paused"),
  };
  useEffect(() => onKeys({
    "/": focusQuery, "?": () => setOpened("help"), "Ctrl k": () => setOpened("palette"),
    v: () => setOpened("views"), t: turn.theme, c: turn.clock, p: turn.pause,
    "g f": () => navigate("/"), "g e": () => navigate("/events"),
    "g a": () => navigate("/alarms"), "g i": () => navigate("/incidents"),
    Escape: () => /** @type {HTMLElement|null} */ (document.activeElement)?.blur(),
  }), []);
  // The event of a dialog that closed comes a moment later: another may be open by then.
  const shut = (which) => setOpened((now) => now === which ? "" : now);
  const paused = condition === "paused";
  return html`
    <a class="skip" href="#main">Skip to the page</a>
    <header class="top" ref=${head}>
      <a class="brand" href="/"><${Mark} size=20 />roost</a>
      <${Pages} page=${route.page} />
      <div class="controls">
        <${Dot} />
        <button type="button" class="icon" onClick=${turn.pause} aria-pressed=${paused}
          title="pause updates (p)" aria-label="pause updates">${ICONS.pause}</button>
        <${Clock} clock=${clock} onTurn=${turn.clock} />
        <button type="button" class="icon" onClick=${turn.theme} title=${`theme: ${theme} (t)`}
          aria-label=${`theme: ${theme}`}>${ICONS[theme]}</button>
        <button type="button" class="icon" onClick=${() => setOpened("views")} title="saved views (v)"
          aria-label="saved views">${ICONS.views}</button>
        <button type="button" class="icon" onClick=${() => setOpened("palette")} title="go to (Ctrl K)"
          aria-label="go to a page, site, node or alarm type">${ICONS.find}</button>
        <button type="button" class="icon" onClick=${() => setOpened("help")} title="keys (?)"
          aria-label="keys and filters">?</button>
        <button type="button" class="icon" onClick=${leave} title="log out"
          aria-label="log out">${ICONS.leave}</button>
      </div>
      <${AlarmCounts} q=${route.page === "alarms" ? route.params.get("q") : null} />
      <${Banner} model=${model} q=${route.page === "fleet" ? route.params.get("q") : null} />
    </header>
    ${WITH_STRIP.has(route.page) && !route.name && html`<${IncidentStrip} />`}
    ${children}
    ${LATER[opened] && html`<${Later} key=${opened} load=${LATER[opened]} route=${route} model=${model} pages=${PAGES}
      onClose=${() => shut(opened)} />`}
    <${HelpDialog} open=${opened === "help"} onClose=${() => shut("help")} />`;
}

/** A dialog that comes when it is opened first. */
function Later({ load, ...given }) {
  const [Part, setPart] = useState(null);
  useEffect(() => { load().then((part) => setPart(() => part), given.onClose); }, []);
  return Part && html`<${Part} ...${given} />`;
}

/** Keep what is scrolled to, and so the focus, clear of the head, which takes more rows at less width. */
function useHeadroom() {
  const head = useRef(null);
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      const { offsetHeight } = head.current;
      document.documentElement.style.scrollPaddingTop = `${offsetHeight + HEADROOM}px`;
    });
    observer.observe(head.current);
    return () => observer.disconnect();
  }, []);
  return head;
}

/** How fresh the page is: a shape, a word and an age. */
function Dot() {
  useStore(second);
  const { condition, heardMs } = useStore(connection);
  const age = heardMs === null ? "" : ageText((performance.now() - heardMs) / 1000);
  return html`<span class=${`dot dot-${condition}`} title="state of the live connection">
    <svg viewBox="0 0 12 12" width="10" height="10" aria-hidden="true">${DOTS[condition]}</svg>
    <span role="status">${condition}</span>${condition !== "connecting" && html` <span class="age">${age}</span>`}</span>`;
}

const icon = (path) => html`<svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true"
  fill="none" stroke="currentColor" stroke-width="1.600" stroke-linecap="round">${path}</svg>`;
const ICONS = {
  pause: icon(html`<path d="M5.500 3v10M10.500 3v10" stroke-width="2.200" />`),
  views: icon(html`<path d="M4 2.500h8v11l-4-3-4 3z" stroke-linejoin="round" />`),
  find: icon(html`<circle cx="7" cy="7" r="4.500" /><path d="M10.500 10.500l3.500 3.500" />`),
  leave: icon(html`<path d="M6.500 2.500h-3.500v11h3.500M7 8h7M11 5l3 3-3 3" />`),
  auto: icon(html`<circle cx="8" cy="8" r="5.500" />
    <path d="M8 2.500a5.500 5.500 0 0 1 0 11z" fill="currentColor" />`),
  light: icon(html`<circle cx="8" cy="8" r="3" />
    <path d="M8 1v1.500M8 13.500v1.500M1 8h1.500M13.500 8h1.500M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1" />`),
  dark: icon(html`<path d="M13 9.500a5.600 5.600 0 1 1-6.500-6.500 4.600 4.600 0 0 0 6.500 6.500z" />`),
};

const DOTS = {
  live: html`<circle cx="6" cy="6" r="5" fill="currentColor" />`,
  stale: html`<circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="2.500" />`,
  offline: html`<path d="M2 2l8 8M10 2l-8 8" stroke="currentColor" stroke-width="2.500" />`,
  paused: html`<path d="M3 1v10M9 1v10" stroke="currentColor" stroke-width="3" />`,
  connecting: html`<circle cx="6" cy="6" r="2.500" fill="currentColor" />`,
};

function Clock({ clock, onTurn }) {
  useStore(second);
  const [, hour] = timeText(serverNow(), clock).split(" ");
  return html`<button type="button" class="clock" onClick=${onTurn} title="clock: UTC or browser (c)">
    <span>${hour}</span><small>${clock === "utc" ? "UTC" : "local"}</small></button>`;
}

function focusQuery() {
  const box = document.getElementById("query");
  if (box) box.focus();
  else {
    navigate("/");
    requestAnimationFrame(() => document.getElementById("query")?.focus());
  }
}

async function leave() {
  await request("/session", { method: "DELETE" }).catch(() => {});
  location.assign("/login");
}
