/** The ways to all pages: the ones of every hour beside each other, the rest behind one button. */
import { html, useEffect, useLayoutEffect, useRef, useState } from "../html.js";
import { TELEPHONE, useMedia } from "./narrow.js";

/** Address, title, name of the page; the first HOURLY stand in the head where it is wide enough. */
export const PAGES = [["/", "Fleet", "fleet"], ["/alarms", "Alarms", "alarms"], ["/incidents", "Incidents", "incidents"],
  ["/hosts", "Hosts", "hosts"], ["/events", "Events", "events"], ["/inventory", "Inventory", "inventory"],
  ["/profiles", "Profiles", "profiles"], ["/rollouts", "Rollouts", "rollouts"], ["/shelf", "Shelf", "shelf"],
  ["/load", "Load", "load"], ["/northbound", "Northbound", "northbound"], ["/enrol", "Enrolment", "enrol"],
  ["/audit", "Audit", "audit"], ["/admin", "Admin", "admin"]];
const HOURLY = 8;
const BELONGS = { site: "fleet", node: "fleet", drift: "profiles" }; // pages that stand under another

export function Pages({ page }) {
  const here = BELONGS[page] ?? page;
  const narrow = useMedia(TELEPHONE);
  const beside = narrow ? [] : PAGES.slice(0, HOURLY);
  const behind = PAGES.slice(beside.length);
  return html`<nav class="pages" aria-label="Pages">
    ${beside.map((one) => html`<${PageLink} key=${one[2]} one=${one} here=${here} />`)}
    <${More} pages=${behind} here=${here} word=${narrow ? "Menu" : "More"} /></nav>`;
}

function PageLink({ one: [href, title, page], here }) {
  return html`<a href=${href} aria-current=${here === page ? "page" : undefined}>${title}</a>`;
}

/** Closes when a page was chosen, at Escape, and when the focus or a click goes elsewhere. */
function More({ pages, here, word }) {
  const box = useRef(null);
  const [isOpen, setOpen] = useState(false);
  const current = pages.find(([, , page]) => page === here);
  useEffect(() => setOpen(false), [here]);
  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    const leave = (event) => !box.current.contains(event.target) && setOpen(false);
    const events = ["pointerdown", "focusin"];
    events.forEach((name) => document.addEventListener(name, leave));
    return () => events.forEach((name) => document.removeEventListener(name, leave));
  }, [isOpen]);
  const onKey = (event) => {
    if (event.key !== "Escape" || !isOpen) return;
    event.stopPropagation();
    setOpen(false);
    box.current.querySelector("button").focus();
  };
  return html`<div class="more" ref=${box} onKeyDown=${onKey}>
    <button type="button" aria-expanded=${isOpen} aria-controls="more-pages" class=${current ? "on" : ""}
      onClick=${() => setOpen(!isOpen)}>${word}${current ? html` <span>${current[1]}</span>` : ""}
      <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true"><path d="M1 3l4 4 4-4" fill="none"
        stroke="currentColor" stroke-width="1.600" /></svg></button>
    <div id="more-pages" class="more-pages" hidden=${!isOpen} onClick=${(event) => event.target.closest("a") && setOpen(false)}>
      ${pages.map((one) => html`<${PageLink} key=${one[2]} one=${one} here=${here} />`)}</div></div>`;
}
