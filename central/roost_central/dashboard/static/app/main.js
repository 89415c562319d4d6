/** Starts the console: clock, keys, router and live data, then the page that the address names. */
import { html, render, useEffect, useReducer } from "./html.js";
import { whenUnauthorised } from "./api.js";
import { EventsPage } from "./events/page.js";
import { fleet } from "./fleet/model.js";
import { FleetPage } from "./fleet/page.js";
import { resume, startLive } from "./live/client.js";
import { LoginPage } from "./login.js";
import { NodePage } from "./node/page.js";
import { prefs } from "./prefs.js";
import { navigate, route, startRouter } from "./router.js";
import { startKeys } from "./shell/keys.js";
import { Shell } from "./shell/shell.js";
import { SitePage } from "./site/page.js";
import { useStore } from "./store.js";
import { startClock } from "./time.js";

const PAGES = { fleet: FleetPage, site: SitePage, node: NodePage, events: EventsPage, missing: Missing };
const TITLES = { fleet: "Fleet", events: "Events", missing: "Not found" };

function App() {
  const here = useStore(route);
  const [, redraw] = useReducer((n) => n + 1, 0);
  useEffect(() => fleet.subscribe((touched) => touched === null && redraw()), []);
  useEffect(() => {
    document.title = `${TITLES[here.page] ?? (here.name || "Log in")} · roost`;
  }, [here]);
  if (here.page === "login") {
    return html`<${LoginPage} route=${here} onDone=${(next) => {
      navigate(next, { replace: true });
      resume();
    }} />`;
  }
  const Page = PAGES[here.page];
  return html`<${Shell} route=${here} model=${fleet}><${Page} key=${here.path} route=${here}
    model=${fleet} /></${Shell}>`;
}

function Missing() {
  return html`<main id="main" class="page"><h1>Nothing here</h1>
    <p>No page has this address. <a href="/">To the fleet</a></p></main>`;
}

function showTheme() {
  document.documentElement.dataset.theme = prefs.get().theme;
}

whenUnauthorised(() => {
  if (route.get().page === "login") return;
  navigate(`/login?next=${encodeURIComponent(location.pathname + location.search)}`, { replace: true });
});
showTheme();
prefs.subscribe(showTheme); // before any component: the grid reads colours as it is drawn
startClock();
startKeys();
startRouter();
startLive();
render(html`<${App} />`, document.getElementById("app"));
