/** What nodes should be: the profiles that count, in the order of precedence, each with its text. */
import { html, useState } from "../html.js";
import { useFetched } from "../fetched.js";
import { fleetPath, nodePath, quoted, sitePath } from "../router.js";
import { CopyLine } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { Time } from "../time.js";
import { DeliveryCounts, Tabs } from "./tabs.js";

const count = (number) => (number === null ? "–" : number.toLocaleString("en"));

export function ProfilesPage() {
  const { value, error, reload } = useFetched("/profiles?count=true");
  const status = useFetched("/profiles:status");
  const again = () => {
    reload();
    status.reload();
  };
  return html`<main id="main" class="page"><h1>Profiles</h1><${Tabs} here="/profiles" />
    <div class="toolbar"><button type="button" onClick=${again}>Read again</button>
      <a href="/rollouts?plan=profiles">Send files</a></div>
    ${error && !value ? html`<${Problem} error=${error} />` : !value ? html`<p class="empty">Reading…</p>`
    : html`<section><h2>Profiles <small>what stands below wins</small></h2>
        ${status.value && value.items.length > 0 && html`<p>The fleet: <${DeliveryCounts} counts=${status.value.nodes} label="The fleet" /></p>`}
        <${Rows} rows=${value.items} status=${status.value} /></section>`}
    <${CopyLine} text="roost profile list" /></main>`;
}

function Rows({ rows, status }) {
  if (!rows.length) return html`<p class="empty">No profile counts: nodes are what they are. Profiles are reviewed files;${" "}
    <span class="code">roost profile apply</span>, or <a href="/rollouts?plan=profiles">a plan</a>, makes them count.</p>`;
  return html`<div class="scroll"><table class="plain profiles stack"><thead><tr><th>Profile</th><th>For</th>
    <th class="number">Nodes</th><th>Where they stand</th><th class="number">Settings</th><th>Applied</th><th>By</th><th>Text</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.name}><th scope="row">${row.name}${" "}
        <small>${row.text}</small>${row.fault && html`<p class="problem">${row.fault}</p>`}</th>
      <td data-title="For"><${Target} row=${row} /></td>
      <td class="number" data-title="Nodes">${count(row.nodes)}</td>
      <td data-title="They are"><${Standing} name=${row.name} status=${status} /></td>
      <td class="number" data-title="Settings">${count(row.settings)}</td>
      <td data-title="Applied"><${Time} at=${row.at} /> <small>revision ${row.revision}</small></td>
      <td data-title="By">${row.by}</td>
      <td data-title="Text"><${Source} name=${row.name} revision=${row.revision} /></td></tr>`)}</tbody></table></div>`;
}

/** How far the nodes have come that have settings of a profile. */
function Standing({ name, status }) {
  const found = status?.profiles.find((each) => each.profile === name);
  if (!found) return status ? html`<span class="quiet">no node has its settings</span>` : "–";
  return html`<${DeliveryCounts} counts=${found.nodes} query=${`profile=${quoted(name)}`} label=${`Nodes of ${name}`} />`;
}

function Target({ row }) {
  if (row.layer === "fleet") return "the whole fleet";
  if (row.layer === "site") return html`site <a href=${sitePath(row.target)}>${row.target}</a>`;
  if (row.layer === "node") return html`node <a href=${nodePath(row.target)}>${row.target}</a>`;
  return html`<a class="code" href=${fleetPath(row.target)}>${row.target}</a> <small>priority ${row.priority}</small>`;
}

/** The text of a profile, read when somebody opens it. */
function Source({ name, revision }) {
  const [isOpen, setOpen] = useState(false);
  return html`<details onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary aria-label=${`Text of ${name}`}>Show</summary>
    ${isOpen && html`<${Text} name=${name} revision=${revision} />`}</details>`;
}

function Text({ name, revision }) {
  const { value, error } = useFetched(`/profiles/${encodeURIComponent(name)}`, revision);
  if (error && !value) return html`<${Problem} error=${error} />`;
  return html`<pre class="code">${value ? value.source : "Reading…"}</pre>`;
}
