/** Who was active of what, from when to when: a line for each group and node; and as a table. */
import { html } from "../html.js";
import { ageText, serverNow, timeText, toMs } from "../time.js";

const WIDTH = 960;
const LINE = 22;
const BAR = 12;

/** @param {{turns: {group: string, node: string, epoch: number, begin: string, end: string|null, told: boolean, why: string}[]|undefined}} given */
export function TurnPlot({ turns }) {
  if (!turns) return html`<p class="empty">Reading…</p>`;
  if (!turns.length) return html`<p class="empty">No turn began in the last 30 days.</p>`;
  const now = serverNow();
  const spans = turns.map((turn) => ({ ...turn, from: toMs(turn.begin), to: toMs(turn.end) ?? now }));
  const first = Math.min(...spans.map(({ from }) => from));
  const range = Math.max(now - first, 1000);
  const lines = [...new Set(spans.map(({ group, node }) => `${group} ${node}`))].sort();
  const x = (at) => (WIDTH * (at - first)) / range;
  const text = (span) => `${span.group}: ${span.node}, epoch ${span.epoch}, ${timeText(span.from)}, ${lasted(span)}`;
  return html`<figure class="turns"><div class="turns-lines">
      <ul aria-hidden="true">${lines.map((line) => html`<li key=${line}>${line}</li>`)}</ul>
      <svg viewBox=${`0 0 ${WIDTH} ${lines.length * LINE}`} preserveAspectRatio="none" role="img" height=${lines.length * LINE}
        aria-label=${`${turns.length} turns since ${timeText(first)}; the table below has each`}>
        ${spans.map((span) => html`<rect key=${`${span.group} ${span.epoch}`} class=${span.end ? "" : "now"}
          x=${x(span.from)} width=${Math.max(x(span.to) - x(span.from), 2)} height=${BAR}
          y=${lines.indexOf(`${span.group} ${span.node}`) * LINE + (LINE - BAR) / 2}><title>${text(span)}</title></rect>`)}</svg></div>
    <figcaption><span>${timeText(first)}</span><span>a bar: one turn, its epoch in the tip and in the table</span><span>now</span></figcaption>
    <details><summary>As a table</summary><div class="scroll"><table class="plain"><thead><tr><th>Group</th><th>Node</th><th class="number">Epoch</th>
      <th>From</th><th>Lasted</th></tr></thead><tbody>${[...spans].reverse().map((span) => html`<tr key=${`${span.group} ${span.epoch}`}>
      <td>${span.group}</td><td>${span.node}</td><td class="number">${span.epoch}</td><td>${timeText(span.from)}</td>
      <td>${lasted(span)}</td></tr>`)}</tbody></table></div></details></figure>`;
}

/** A node that died told no end: its turn lasted until the next one's begin at the latest. */
function lasted({ from, to, end, told }) {
  const age = ageText((to - from) / 1000);
  if (!end) return `${age}, active`;
  return told ? age : `at most ${age}: it told no end`;
}
