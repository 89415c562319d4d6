/** Starts the console: clock, keys, router and live data, then the page that the address names. */
import { html, render, useEffect, useReducer, useState } from "./html.js";
import { whenUnauthorised } from "./api.js";
import { fleet } from "./fleet/model.js";
import { FleetPage } from "./fleet/page.js";
import { resume, startLive } from "./live/client.js";
import { LoginPage } from "./login.js";
import { prefs } from "./prefs.js";
import { navigate, route, startRouter } from "./router.js";
import { startKeys } from "./shell/keys.js";
import { Shell } from "./shell/shell.js";
import { useStore } from "./store.js";
import { startClock } from "./time.js";

const PAGES = { fleet: FleetPage, missing: Missing };

/** The other pages come when they are opened first: the fleet need not wait for them. */
const LATER = {
  site: () => import("./site/page.js").then((m) => m.SitePage),
  node: () => import("./node/page.js").then((m) => m.NodePage),
  events: () => import("./events/page.js").then((m) => m.EventsPage),
  alarms: () => import("./alarms/page.js").then((m) => m.AlarmsPage),
  incidents: () => import("./incidents/page.js").then((m) => m.IncidentsPage),
  shelf: () => import("./shelf/page.js").then((m) => m.ShelfPage),
  load: () => import("./load/page.js").then((m) => m.LoadPage),
  northbound: () => import("./northbound/page.js").then((m) => m.NorthboundPage),
  profiles: () => import("./profiles/page.js").then((m) => m.ProfilesPage),
  rollouts: () => import("./rollouts/page.js").then((m) => m.RolloutsPage),
  hosts: () => import("./hosts/page.js").then((m) => m.HostsPage),
  drift: () => import("./drift/page.js").then((m) => m.DriftPage),
  enrol: () => import("./enrol/page.js").then((m) => m.EnrolPage),
  admin: () => import("./admin/page.js").then((m) => m.AdminPage),
  audit: () => import("./audit/page.js").then((m) => m.AuditPage),
  inventory: () => import("./inventory/page.js").then((m) => m.InventoryPage),
  view: () => import("./views/open.js").then((m) => m.ViewPage),
};
const TITLES = {
  fleet: "Fleet", events: "Events", alarms: "Alarms", shelf: "Shelf", load: "Operator load",
  northbound: "Northbound", profiles: "Profiles", enrol: "Enrolment", admin: "Admin", audit: "Audit", inventory: "Inventory",
  drift: "Drift", hosts: "Hosts", missing: "Not found",
};

const NAMELESS = { incidents: "Incidents", rollouts: "Rollouts", login: "Log in" };

function App() {
  const here = useStore(route);
  const [, redraw] = useReducer((n) => n + 1, 0);
  useEffect(() => fleet.subscribe((touched) => touched === null && redraw()), []);
  useEffect(() => {
    document.title = `${TITLES[here.page] ?? (here.name || NAMELESS[here.page])} · roost`;
  }, [here]);
  if (here.page === "login") {
    return html`<${LoginPage} route=${here} onDone=${(next) => {
      navigate(next, { replace: true });
      resume();
    }} />`;
  }
  const Page = PAGES[here.page] ?? Coming;
  return html`<${Shell} route=${here} model=${fleet}><${Page} key=${here.path} route=${here}
    model=${fleet} onCome=${redraw} /></${Shell}>`;
}

/** Stands in for a page until it is there; one that does not come is gone with an older release. */
function Coming({ route: { page }, onCome }) {
  const [isLost, setLost] = useState(false);
  useEffect(() => {
    LATER[page]().then((Page) => {
      PAGES[page] = Page;
      onCome();
    }, () => setLost(true));
  }, [page]);
  return html`<main id="main" class="page">${isLost ? html`<h1>This page did not come</h1><p>
    <button type="button" onClick=${() => location.reload()}>Read everything again</button></p>`
    : html`<p class="empty">Reading…</p>`}</main>`;
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
