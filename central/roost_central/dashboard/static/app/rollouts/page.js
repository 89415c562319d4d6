/** Rollouts: all of them, one with its live waves, failures and sites, and what a plan would do. */
import { html, useEffect, useState } from "../html.js";
import { request } from "../api.js";
import { useFetched } from "../fetched.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine } from "../shell/copy.js";
import { Failure, Problem } from "../shell/failure.js";
import { Time } from "../time.js";
import { Blast } from "./blast.js";
import { Failures, Sites } from "./sites.js";
import { Counts, MOVES, movesOf, State, statesOf, statesOfCounts, waveOf } from "./words.js";

const LOOK_MS = 2_000; // as often as the centre looks
const ENDS = new Set(["denied", "completed", "aborted", "rolled_back"]);
const WHY_SAID = new Set(["abort", "deny", "roll-back"]); // as `roost rollout` wants it
const rolloutPath = (id) => `/rollouts/${encodeURIComponent(id)}`;

export function RolloutsPage({ route }) {
  return route.name ? html`<${Rollout} key=${route.name} id=${route.name} />` : html`<${List} isPlanned=${route.params.has("plan")} />`;
}

function List({ isPlanned }) {
  const [turn, setTurn] = useState(0);
  const { value, error, reload } = useFetched("/rollouts", turn);
  const isMoving = Boolean(value?.items.some((row) => !ENDS.has(row.state)));
  useEffect(() => looking(isMoving, setTurn), [isMoving]);
  const [plans, setPlans] = useState(isPlanned);
  return html`<main id="main" class="page"><h1>Rollouts</h1>
    <div class="toolbar"><button type="button" onClick=${reload}>Read again</button>
      <button type="button" aria-expanded=${plans} onClick=${() => setPlans(!plans)}>Try a plan</button></div>
    ${plans && html`<${Blast} />`}
    ${error && !value ? html`<${Problem} error=${error} />` : !value ? html`<p class="empty">Reading…</p>`
    : html`<${Rows} rows=${value.items} />`}
    <${CopyLine} text="roost rollout list" /></main>`;
}

/** Ask again now and then, as long as there is something that moves and somebody who sees it. */
function looking(isMoving, setTurn) {
  if (!isMoving) return undefined;
  const timer = setInterval(() => document.hidden || setTurn((n) => n + 1), LOOK_MS);
  return () => clearInterval(timer);
}

function Rows({ rows }) {
  if (!rows.length) return html`<p class="empty">Nothing was rolled out from here yet. A plan is a file: try one here, or with <code>roost rollout plan</code>.</p>`;
  return html`<div class="scroll"><table class="plain stack rollouts"><thead><tr><th>Rollout</th><th>Brings</th><th>State</th><th>Wave</th>
    <th class="number">Sites</th><th>Where they stand</th><th>Made</th><th>Why</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.id}><th scope="row"><a href=${rolloutPath(row.id)}>${row.name}</a></th>
      <td data-title="Brings">${brings(row)}</td>
      <td data-title="State"><${State} name=${row.state} more=${row.pause ?? ""} /></td>
      <td data-title="Wave">${row.wave} of ${row.waves}</td><td class="number" data-title="Sites">${row.sites.toLocaleString("en")}</td>
      <td data-title="Sites are">${row.counts ? html`<${Counts} states=${statesOfCounts(row.counts)} label=${row.name} isBack=${isBack(row)} />` : html`<span class="quiet">not kept</span>`}</td>
      <td data-title="Made"><${Time} at=${row.made} /> by ${row.by}</td>
      <td data-title="Why">${row.why || row.reason || "–"}</td></tr>`)}</tbody></table></div>`;
}

function Rollout({ id }) {
  const [turn, setTurn] = useState(0);
  const { value, error, reload } = useFetched(`/rollouts/${encodeURIComponent(id)}`, turn);
  const [move, setMove] = useState("");
  const isOpen = Boolean(value && !ENDS.has(value.state));
  useEffect(() => looking(isOpen, setTurn), [isOpen]);
  if (error && !value) return html`<${Failure} error=${error} what=${`rollout ${id}`} onRetry=${reload} />`;
  if (!value) return html`<main id="main" class="page"><h1>Rollout</h1><p class="empty">Reading…</p></main>`;
  const send = async (values) => {
    const path = { retry: "resume", skip: "resume" }[move] ?? move;
    await request(`/rollouts/${encodeURIComponent(id)}/${path}`, { method: "POST", body: { reason: values.reason, ...MOVES[move][2] } });
    setMove("");
    reload();
  };
  const whole = value.stages.reduce((sum, each) => {
    for (const [state, count] of Object.entries(statesOf(each))) sum[state] = (sum[state] ?? 0) + count;
    return sum;
  }, {});
  return html`<main id="main" class="page"><header class="page-head"><p class="crumb"><a href="/rollouts">Rollouts</a> / ${brings(value)}</p>
      <h1>${value.name} <${State} name=${value.state} more=${value.pause ?? ""} /></h1>
      ${value.why && html`<p class=${value.state === "paused" && value.pause !== "operator" ? "problem" : "quiet"} role="status">${value.why}</p>`}
      <dl class="facts"><div><dt>Made</dt><dd><${Time} at=${value.made} /></dd></div><div><dt>By</dt><dd>${value.by}</dd></div>
        <div><dt>Reason</dt><dd>${value.reason || "–"}</dd></div>
        <div><dt>Approved by</dt><dd>${approvers(value)}</dd></div>
        <div><dt>${value.kind === "profile" ? "Texts" : "Manifest"}</dt><dd class="code">${value.digest.slice(0, 16)}…</dd></div></dl>
      <${Counts} states=${whole} label="All sites" isBack=${isBack(value)} />
      <div class="toolbar">${movesOf(value).map((each) => html`<button type="button" key=${each}
        onClick=${() => setMove(each)}>${MOVES[each][0]}</button> `)}</div>
      ${value.state === "awaiting_approval" && html`<p class="quiet">Who approves signs it with their own key, on their own machine:</p>
        <${CopyLine} text=${`roost rollout approve ${value.id} --plan FILE --operator NAME --key FILE`} />`}</header>
    <section><h2>Waves</h2><${Waves} value=${value} /></section>
    <${Failures} id=${id} turn=${turn} />
    <${Sites} id=${id} turn=${turn} waves=${value.stages} now=${isOpen ? value.wave : 0} />
    <section><details><summary>The plan</summary><pre class="source">${value.plan}</pre></details></section>
    <${CopyLine} text=${`roost rollout watch ${value.id}`} />
    ${move && html`<${AskDialog} title=${`${MOVES[move][0]}: ${value.name}`} button=${MOVES[move][0]} hint=${MOVES[move][1]}
      fields=${[{ name: "reason", label: "Reason", required: WHY_SAID.has(move) }]} onSend=${send} onClose=${() => setMove("")} />`}</main>`;
}

/** What a rollout brings: a release, or settings of profiles. */
const brings = (value) => (value.kind === "profile" ? `settings of ${value.version}` : `${value.component} ${value.version}`);
const isBack = (value) => value.state === "rolling_back" || value.state === "rolled_back";

/** What those sites of a wave that have the update wait for; empty: none has. */
function watched({ states, left_s: left }) {
  const said = [[states.verifying, "verifying: clean beats with the release"], [states.soaking, "soaking: no new alarm may come"]]
    .filter(([count]) => count).map(([count, words]) => `${count} ${words}`);
  return said.length && left !== null && left !== undefined ? `${said.join("; ")}; the next is through in ${left} s` : said.join("; ");
}

function Waves({ value }) {
  return html`<div class="scroll"><table class="plain stack groups"><thead><tr><th>Wave</th><th>State</th><th class="number">Sites</th>
    <th>Where they stand</th><th>Since</th><th>Soak</th><th>Why</th></tr></thead><tbody>${value.stages.map((each) => html`<tr key=${each.wave}
      class=${each.wave === value.wave && !ENDS.has(value.state) ? "now" : ""}><th scope="row">${waveOf(each)}</th>
      <td data-title="State"><${State} name=${each.state} /></td><td class="number" data-title="Sites">${each.sites.toLocaleString("en")}</td>
      <td data-title="Sites are"><${Counts} states=${statesOf(each)} label=${`Wave ${each.wave}`} isBack=${isBack(value)} />
        ${each.worse > 0 && html` <span class="quiet">${each.worse} with a new alarm</span>`}</td>
      <td data-title="Since">${each.since ? html`<${Time} at=${each.since} />` : "–"}</td><td data-title="Soak">${soak(each)}</td>
      <td data-title="Why">${each.why || watched(each) || (each.rate ? `${each.rate.toLocaleString("en")} sites a minute` : "–")}</td></tr>`)}</tbody></table></div>`;
}

function approvers(value) {
  const names = [...new Set(value.approvals.map((each) => each.operator))];
  if (!value.approvers) return "nobody has to";
  return `${names.join(", ") || "nobody yet"}: ${names.length} of ${value.approvers}`;
}

const soak = (wave) => (wave.state === "pending" ? "–" : wave.state === "soaking" || wave.soaked_s
  ? `${Math.min(wave.soaked_s, wave.soak_s).toLocaleString("en")} of ${wave.soak_s.toLocaleString("en")} s` : `${wave.soak_s.toLocaleString("en")} s`);
