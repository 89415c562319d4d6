/** Where alarms go out: each target with what waits for it, a test of it, and what was given up. */
import { html, useState } from "../html.js";
import { request } from "../api.js";
import { alarmCounts } from "../alarms/counts.js";
import { useFetched } from "../fetched.js";
import { CopyLine } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { Shape } from "../status.js";
import { useStore } from "../store.js";
import { Age } from "../time.js";

/** @type {Record<string, {shape: string, tone: string}>} state of a target */
const STATES = {
  ok: { shape: "square", tone: "ok" },
  idle: { shape: "ring", tone: "unknown" },
  failing: { shape: "triangle", tone: "degraded" },
  unreachable: { shape: "cross", tone: "down" },
  disabled: { shape: "bar", tone: "maintenance" },
};
const count = (number) => number.toLocaleString("en");

export function NorthboundPage() {
  const seq = useStore(alarmCounts)?.seq; // what waits moves when alarms do
  const { value, error, reload } = useFetched("/northbound", seq);
  const [said, setSaid] = useState("");
  const [asked, setAsked] = useState("");
  const test = async (name) => {
    setAsked(name);
    setSaid("");
    try {
      const answer = await request(`/northbound/${encodeURIComponent(name)}:test`, { method: "POST" });
      setSaid(answer.delivered ? `${name} took the test message.`
        : `${name} did not take it: ${answer.error}`);
    } catch (failure) {
      setSaid(`${name} was not tested: ${failure.message}`);
    }
    setAsked("");
    reload();
  };
  return html`<main id="main" class="page"><h1>Northbound</h1>
    <p class="said" role="status">${asked ? `Testing ${asked}…` : said}</p>
    <div class="toolbar"><button type="button" onClick=${reload}>Read again</button></div>
    ${error && !value ? html`<${Problem} error=${error} />` : !value ? html`<p class="empty">Reading…</p>`
    : html`<section><h2>Targets</h2><${Targets} rows=${value.targets} asked=${asked} onTest=${test} /></section>
      <section><h2>Dead letters <small>given up after the last attempt; the newest first</small></h2>
        <${Letters} rows=${value.dead_letters} /></section>`}
    <${CopyLine} text="roost northbound list" /></main>`;
}

function Targets({ rows, asked, onTest }) {
  if (!rows.length) return html`<p class="empty">Alarms go nowhere: the configuration names no target. <span class="code">docs/northbound.md</span> has an
    example of each.</p>`;
  return html`<div class="scroll"><table class="plain targets stack"><thead><tr><th>Target</th><th>State</th>
    <th class="number">Waiting</th><th class="number">Sent</th><th>Took something</th><th>Last error</th>
    <th class="number">Dead letters</th><th><span class="hidden">Do</span></th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.name}><th scope="row">${row.name}${" "}
        <small class="code">${row.kind} ${row.address}</small></th>
      <td data-title="State"><${State} row=${row} /></td><td class="number" data-title="Waiting">${count(row.queue)}</td>
      <td class="number" data-title="Sent">${count(row.sent)}</td>
      <td data-title="Took something">${row.worked ? html`<${Age} at=${row.worked} suffix=" ago" />` : "never"}</td>
      <td data-title="Last error">${row.disabled || (row.failures ? html`${row.last_error} <small>${count(row.failures)} in a row</small>` : "–")}</td>
      <td class="number" data-title="Dead letters">${count(row.dead_letters)}</td>
      <td><button type="button" disabled=${asked !== ""} aria-label=${`Send a test to ${row.name}`}
        onClick=${() => onTest(row.name)}>Send test</button></td></tr>`)}</tbody></table></div>`;
}

function State({ row }) {
  const state = STATES[row.state] ?? STATES.idle;
  return html`<span class=${`state tone-${state.tone}`}><${Shape} state=${state} />${row.state}</span>`;
}

function Letters({ rows }) {
  if (!rows.length) return html`<p class="empty">Nothing was given up.</p>`;
  return html`<div class="scroll"><table class="plain letters stack"><thead><tr><th>Target</th><th>Given up</th>
    <th class="number">Transition</th><th>Why</th><th>Message</th></tr></thead>
    <tbody>${rows.map((row, index) => html`<tr key=${`${row.target} ${row.seq} ${index}`}>
      <th scope="row">${row.target}</th><td data-title="Given up"><${Age} at=${row.at} suffix=" ago" /></td>
      <td class="number" data-title="Transition">${count(row.seq)}</td><td data-title="Why">${row.error}</td>
      <td data-title="Message"><details><summary>${count(row.body.length)} characters</summary><pre class="code">${row.body}</pre></details></td>
    </tr>`)}</tbody></table></div>`;
}
