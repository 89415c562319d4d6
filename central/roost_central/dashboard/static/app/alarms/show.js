/** How parts of an alarm are written, the same on every page. */
import { html } from "../html.js";
import { SEVERITIES, Shape, UNKNOWN_SEVERITY } from "../status.js";
import { nodePath, sitePath } from "../router.js";
import { Age, ageText } from "../time.js";

const SHORT_CHARS = 12;
export const SEVERITY_ORDER = ["critical", "major", "minor", "warning"];

/** Severity as shape, letter and word; one that may have passed is a ring with its last word. */
export function Severity({ alarm }) {
  const told = SEVERITIES[alarm.severity] ?? SEVERITIES.warning;
  const shown = alarm.state === "unknown" ? UNKNOWN_SEVERITY
    : alarm.state === "cleared" ? SEVERITIES.cleared : told;
  const said = alarm.state === "active" ? alarm.severity : `${alarm.state}, was ${alarm.severity}`;
  return html`<span class=${`state tone-${shown.tone}`} title=${said}><${Shape} state=${shown} />
    <b class="letter" aria-hidden="true">${told.letter}</b><span class="sev-word">${alarm.state === "active"
  ? alarm.severity : alarm.state}</span></span>`;
}

/** The part of an entity that follows its site and node, which stand beside it. */
export function entityRest({ entity, site, node }) {
  const pairs = entity.split(",");
  const isKnown = (pair) => (pair === `site=${site}`) || (node && pair.startsWith("node="));
  return pairs.filter((pair) => !isKnown(pair)).join(",");
}

/** An incident's name where there is little room: ids of one hour begin alike, so the end tells. */
export const shortIncident = (id) => (id.length > SHORT_CHARS ? `INC-…${id.slice(-6)}` : id);

/** Site and node as links. */
export function Place({ alarm, tabindex }) {
  const { site, node } = alarm;
  if (!site) return html`<span class="quiet">centre</span>`;
  const short = node?.startsWith(`${site}.`) ? node.slice(site.length + 1) : node;
  return html`<a href=${sitePath(site)} tabindex=${tabindex}>${site}</a>${node && html`<span
    class="quiet">.</span><a href=${nodePath(node)} tabindex=${tabindex}>${short}</a>`}`;
}

/** What an operator did with it, with the age of that, since an old ack is easily forgotten. */
export function OpState({ alarm }) {
  const { ack, shelf } = alarm;
  if (shelf) {
    return html`<span title=${`by ${shelf.by}: ${shelf.reason}`}>shelved <small>until <${Age}
      at=${shelf.until} isAhead /></small></span>`;
  }
  if (ack) {
    return html`<span title=${`by ${ack.by}${ack.note ? `: ${ack.note}` : ""}`}>acked <small>${
      ageText(ack.age_s)}${ack.stale ? ", before it came back worse" : ""}</small></span>`;
  }
  if (alarm.suppressed_by) return html`<span class="quiet">suppressed</span>`;
  if (alarm.masked_by) return html`<span class="quiet">masked</span>`;
  return html`<span class="never" aria-label="nothing yet">–</span>`;
}

/** Marks that belong to the text: late, flapping, a clock that is not set. */
export function Marks({ alarm }) {
  return html`${alarm.flapping && html` <small class="mark">flapping</small>`}${
    alarm.late && html` <small class="mark">late</small>`}${
    alarm.clock === "unsynced" && html` <small class="mark">clock not set</small>`}${
    alarm.state === "unknown" && html` <small class="mark">last word <${Age} at=${alarm.as_of}
      suffix=" ago" /></small>`}`;
}
