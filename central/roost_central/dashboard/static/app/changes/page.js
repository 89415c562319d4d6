/** Changes of profiles that reach their nodes group by group: all of them, or one with its groups. */
import { html, useEffect, useState } from "../html.js";
import { request } from "../api.js";
import { useFetched } from "../fetched.js";
import { fleetPath, nodePath } from "../router.js";
import { DeliveryCounts, Tabs } from "../profiles/tabs.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine } from "../shell/copy.js";
import { Failure, Problem } from "../shell/failure.js";
import { Time } from "../time.js";

const LOOK_MS = 5_000; // as often as the centre looks
const MARKS = { running: "▶", paused: "⏸", stopped: "■", aborted: "✕", done: "✓", "rolled-back": "↩" };
const TURNS = { had: "had its turn", now: "has its turn now", later: "later" };
const MOVES = {
  pause: ["Pause", "No other group has it until somebody resumes it."],
  resume: ["Resume", "The next groups have it; nodes that failed until now are accepted."],
  abort: ["Abort", "It goes no further: who has it keeps it, the others keep what they had."],
  "roll-back": ["Roll back", "The profiles of this change become what they were, for all of its nodes and at once."],
};
const POSSIBLE = {
  running: ["pause", "abort", "roll-back"], paused: ["resume", "abort", "roll-back"],
  stopped: ["resume", "abort", "roll-back"], aborted: ["roll-back"],
};

const changePath = (id) => `/changes/${encodeURIComponent(id)}`;
const State = ({ name }) => html`<span class=${`change-state ${name}`}><span aria-hidden="true">${MARKS[name]}</span> ${name}</span>`;

export function ChangesPage({ route }) {
  return route.name ? html`<${Change} key=${route.name} id=${route.name} />` : html`<${List} />`;
}

function List() {
  const { value, error, reload } = useFetched("/changes");
  return html`<main id="main" class="page"><h1>Changes</h1><${Tabs} here="/changes" />
    <div class="toolbar"><button type="button" onClick=${reload}>Read again</button></div>
    ${error && !value ? html`<${Problem} error=${error} />` : !value ? html`<p class="empty">Reading…</p>`
    : html`<${Rows} rows=${value.items} />`}
    <${CopyLine} text="roost change list" /></main>`;
}

function Rows({ rows }) {
  if (!rows.length) return html`<p class="empty">No change of profiles was over more than one site yet.</p>`;
  return html`<div class="scroll"><table class="plain stack changes"><thead><tr><th>Change</th><th>State</th><th>Group</th>
    <th>Profiles</th><th>Began</th><th>By</th><th>Why</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.id}><th scope="row"><a class="code" href=${changePath(row.id)}>${row.id}</a></th>
      <td data-title="State"><${State} name=${row.state} /></td>
      <td data-title="Group">${row.group} of ${row.groups.length}</td>
      <td data-title="Profiles">${row.profiles.join(", ")}</td><td data-title="Began"><${Time} at=${row.made} /></td>
      <td data-title="By">${row.by}</td><td data-title="Why">${row.why || row.reason || "–"}</td></tr>`)}</tbody></table></div>`;
}

function Change({ id }) {
  const [turn, setTurn] = useState(0);
  const { value, error, reload } = useFetched(`/changes/${encodeURIComponent(id)}`, turn);
  const [move, setMove] = useState("");
  const isOpen = Boolean(value && POSSIBLE[value.state]);
  useEffect(() => {
    if (!isOpen) return undefined;
    const timer = setInterval(() => document.hidden || setTurn((n) => n + 1), LOOK_MS);
    return () => clearInterval(timer);
  }, [isOpen]);
  if (error && !value) return html`<${Failure} error=${error} what=${`change ${id}`} onRetry=${reload} />`;
  if (!value) return html`<main id="main" class="page"><h1>Change ${id}</h1><p class="empty">Reading…</p></main>`;
  const send = async (values) => {
    await request(`/changes/${encodeURIComponent(id)}/${move}`, { method: "POST", body: { reason: values.reason } });
    setMove("");
    reload();
  };
  return html`<main id="main" class="page"><header class="page-head"><p class="crumb"><a href="/changes">Changes</a> / ${value.profiles.join(", ")}</p>
      <h1>Change <span class="code">${value.id}</span> <${State} name=${value.state} /></h1>
      ${value.why && html`<p class=${value.state === "stopped" ? "problem" : "quiet"} role="status">${value.why}</p>`}
      <dl class="facts"><div><dt>Began</dt><dd><${Time} at=${value.made} /></dd></div><div><dt>By</dt><dd>${value.by}</dd></div>
        <div><dt>Reason</dt><dd>${value.reason || "–"}</dd></div>
        <div><dt>Soak</dt><dd>${minutes(value.soak_s)}</dd></div><div><dt>In time</dt><dd>${minutes(value.wait_s)}</dd></div>
        <div><dt>May fail</dt><dd>${value.failed_max.toLocaleString("en")}</dd></div></dl>
      <p>${next(value)}</p>
      <div class="toolbar">${(POSSIBLE[value.state] ?? []).map((each) => html`<button type="button" key=${each}
        onClick=${() => setMove(each)}>${MOVES[each][0]}</button> `)}</div></header>
    <section><h2>Groups</h2><${Groups} value=${value} /></section>
    ${value.failed.length > 0 && html`<section><h2>Failed <small>at most 20 are shown; <a href=${fleetPath("config=failed")}>all sites with one</a></small></h2>
      <ul class="told">${value.failed.map((each) => html`<li key=${each.node}><a href=${nodePath(each.node)}>${each.node}</a>: ${each.why || "no reason was told"}</li>`)}</ul></section>`}
    <${CopyLine} text=${`roost change show ${value.id} -w`} />
    ${move && html`<${AskDialog} title=${`${MOVES[move][0]} change ${value.id}`} button=${MOVES[move][0]} hint=${MOVES[move][1]}
      fields=${[{ name: "reason", label: "Reason" }]} onSend=${send} onClose=${() => setMove("")} />`}</main>`;
}

function Groups({ value }) {
  return html`<div class="scroll"><table class="plain stack groups"><thead><tr><th>Group</th><th>Turn</th><th class="number">Sites</th>
    <th class="number">Nodes</th><th>Where they stand</th></tr></thead><tbody>${value.stages.map((each) => html`<tr key=${each.group}
      class=${each.turn}><th scope="row">${each.group}</th><td data-title="Turn">${TURNS[each.turn]}</td>
      <td class="number" data-title="Sites">${each.sites.toLocaleString("en")}</td>
      <td class="number" data-title="Nodes">${each.nodes.toLocaleString("en")}</td>
      <td data-title="Nodes are">${each.turn === "later" ? html`<span class="quiet">keep what they had</span>`
      : each.counts ? html`<${DeliveryCounts} counts=${each.counts} label=${`Group ${each.group}`} />` : "–"}</td></tr>`)}</tbody></table></div>`;
}

function next(value) {
  if (value.state === "running" && value.synced) {
    return html`Group ${value.group} is in sync since <${Time} at=${value.synced} />; the next one's turn comes ${minutes(value.soak_s)} after that.`;
  }
  return { running: `Group ${value.group} is not in sync yet.`, stopped: "Look at what failed; then resume it, or roll it back.",
    paused: "It rests.", aborted: "The other nodes are held back until it is rolled back." }[value.state] ?? "It is at its end.";
}

const minutes = (seconds) => (seconds % 60 ? `${seconds} s` : seconds % 3_600 ? `${seconds / 60} min` : `${seconds / 3_600} h`);
