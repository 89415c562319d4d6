/** Alarms on every page: counts that filter, what is hidden and why, and open incidents. */
import { html, useEffect, useRef, useState } from "../html.js";
import { alarmCounts } from "../alarms/counts.js";
import { SEVERITY_ORDER, shortIncident } from "../alarms/show.js";
import { useFetched } from "../fetched.js";
import { alarmsPath, incidentPath } from "../router.js";
import { SEVERITIES, Shape } from "../status.js";
import { useStore } from "../store.js";
import { Age } from "../time.js";

const SPOKEN_MS_MIN = 10_000; // between two assertive announcements
const STRIP_MAX = 3; // incidents beside every page; their own page has all
const HIDDEN = [["unknown", "state=unknown", "may have passed: their reporter is silent"],
  ["shelved", "shelved=true", "put aside until a time"],
  ["masked", "masked=true", "follow from another alarm"],
  ["suppressed", "suppressed=true", "their type is switched off"]];

export function AlarmCounts({ q }) {
  const counts = useStore(alarmCounts);
  if (!counts) return html`<div class="alarm-counts"></div>`;
  return html`<nav class="alarm-counts" aria-label="Alarms by severity" data-seq=${counts.seq}>
    ${SEVERITY_ORDER.map((name) => {
    const severity = SEVERITIES[name];
    const filter = `sev=${name}`;
    return html`<a key=${name} class=${`count tone-${severity.tone} ${counts[name] ? "" : "none"}`}
        href=${alarmsPath(filter)} title=${`${counts[name]} ${name}`} data-severity=${name}
        aria-label=${`${counts[name]} ${name}`} aria-current=${q === filter ? "true" : undefined}>
      <${Shape} state=${severity} /><span class="letter">${severity.letter}</span>
      <b>${counts[name].toLocaleString("en")}</b></a>`;
  })}
    <span class="beside">${HIDDEN.map(([name, filter, why]) => counts[name] > 0 && html`<a key=${name}
      href=${alarmsPath(filter)} title=${why} data-hidden=${name}>${counts[name].toLocaleString("en")} ${name}</a>`)}
    ${counts.in_incident > 0 && html`<a href="/incidents" title="belong to an incident">
      ${counts.in_incident.toLocaleString("en")} in incidents</a>`}
    ${counts.flood && html`<strong class="flood">flood</strong>`}</span>
    <${Spoken} counts=${counts} /></nav>`;
}

/** New criticals, said aloud by a screen reader: at most once in ten seconds, with the latest count. */
function Spoken({ counts }) {
  const [said, setSaid] = useState("");
  const kept = useRef({ known: counts.critical, atMs: -Infinity });
  useEffect(() => {
    const { known, atMs } = kept.current;
    if (counts.critical <= known) {
      kept.current.known = counts.critical;
      return undefined;
    }
    const wait = Math.max(0, atMs + SPOKEN_MS_MIN - performance.now());
    const timer = setTimeout(() => {
      kept.current = { known: counts.critical, atMs: performance.now() };
      setSaid(`${counts.critical - known} new critical, ${counts.critical} in all`);
    }, wait);
    return () => clearTimeout(timer);
  }, [counts.critical]);
  return html`<span class="hidden" role="alert" aria-live="assertive">${said}</span>`;
}

/** Open incidents, each as one sentence, where operators look first. */
export function IncidentStrip() {
  const counts = useStore(alarmCounts);
  const open = counts?.incidents ?? 0;
  const { value } = useFetched(open ? "/incidents?state=open" : null, counts?.seq);
  if (!open || !value?.items.length) return null;
  return html`<ul class="strip" aria-label="Open incidents">${value.items.slice(0, STRIP_MAX).map((incident) => html`<li
    key=${incident.id}><${Shape} state=${SEVERITIES[incident.severity] ?? SEVERITIES.warning} />
    <a href=${incidentPath(incident.id)} title=${incident.id}>${shortIncident(incident.id)}</a> <b>${incident.name}</b>
    <span>${incident.cause || "cause not found yet"}</span>
    <span class="quiet">${incident.covered.toLocaleString("en")} of ${incident.sites.toLocaleString("en")} sites · ${
  incident.recovered.toLocaleString("en")} back · since <${Age} at=${incident.opened} /></span>
    ${incident.unexplained > 0 && html`<a class="mark" href=${incidentPath(incident.id)}>${incident.unexplained} not explained</a>`}
    </li>`)}
    ${value.items.length > STRIP_MAX && html`<li><a href="/incidents">${value.items.length - STRIP_MAX} more</a></li>`}</ul>`;
}
