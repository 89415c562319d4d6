/** What a plan would do before anything is done: who, when, how much, and what is in the way. */
import { html, useState } from "../html.js";
import { request } from "../api.js";
import { navigate } from "../router.js";
import { bytes } from "../node/humanise.js";
import { asNamed, Files, joined, planOf, readFiles } from "./files.js";
import { Settings } from "./settings.js";
import { length } from "./words.js";

const EXAMPLE = `name = "pump 1.2.0"
component = "app/pump"
version = "1.2.0"
selector = "region:north"
`;

export function Blast() {
  const [plan, setPlan] = useState(EXAMPLE);
  const [written, setWritten] = useState(EXAMPLE); // by this page: what somebody typed is left alone
  const [files, setFiles] = useState([]);
  const [found, setFound] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const ask = async (work) => {
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  const take = (after) => {
    setFiles(after);
    setFound(null);
    if (plan !== written) return;
    const text = after.length ? planOf(after) : EXAMPLE;
    setPlan(text);
    setWritten(text);
  };
  const add = (chosen) => ask(async () => take(joined(files, await readFiles(chosen))));
  const sent = () => (files.length ? { plan, files: asNamed(plan, files) } : { plan });
  const tryIt = () => ask(async () => {
    setFound(null);
    setFound(await request("/rollouts:plan", { method: "POST", body: sent() }));
  });
  const make = () => ask(async () => {
    const made = await request("/rollouts", { method: "POST", body: { ...sent(), expect: found.sites } });
    navigate(`/rollouts/${made.id}`);
  });
  return html`<section class="blast"><h2>A plan</h2>
    <label class="block">The file, as it was reviewed<textarea rows="8" spellcheck=${false} value=${plan}
      onInput=${(event) => { setPlan(event.target.value); setFound(null); }}></textarea></label>
    <${Files} files=${files} busy=${busy} onAdd=${add} onRemove=${(name) => take(files.filter((each) => each.file !== name))} />
    <div class="toolbar"><button type="button" disabled=${busy} onClick=${tryIt}>Show what it would do</button>
      ${found && !found.refusals.length && html`<button type="button" class="primary" disabled=${busy} onClick=${make}>Make this rollout</button>`}</div>
    ${error && html`<p class="problem" role="alert">${error.message}</p>`}
    ${error?.errors?.length > 1 && html`<ul class="problem">${error.errors.map((each) => html`<li key=${each.field + each.detail}>${each.field}: ${each.detail}</li>`)}</ul>`}
    ${found && html`<${Dry} found=${found} />`}</section>`;
}

function Dry({ found }) {
  const say = (range) => (length(range[0]) === length(range[1]) ? length(range[0]) : `${length(range[0])} to ${length(range[1])}`);
  const such = (wave, why) => (wave.blocked_first?.[why] ? ` (${wave.blocked_first[why].slice(0, 5).join(", ")})` : "");
  return html`<p role="status"><strong>${found.sites.toLocaleString("en")} sites</strong> with ${found.nodes.toLocaleString("en")} nodes, ${bytes(found.bytes_wan)} over their WANs; ${found.approvers || "nobody"} must approve it.</p>
    ${found.refusals.map((each) => html`<p class="problem" key=${each}>${each}</p>`)}
    <div class="scroll"><table class="plain stack dry"><thead><tr><th>Wave</th><th class="number">Sites</th><th>Ends after</th><th class="number">WAN</th>
      <th class="number">Have it</th><th class="number">Go down</th><th>Held back</th><th>Such as</th></tr></thead><tbody>${found.waves.map((wave) => html`<tr key=${wave.wave}>
        <th scope="row">${wave.wave} ${wave.name}</th><td class="number" data-title="Sites">${wave.sites.toLocaleString("en")}</td>
        <td data-title="Ends after">${say(wave.ends_s)}</td><td class="number" data-title="WAN">${bytes(wave.bytes_wan)}</td>
        <td class="number" data-title="Have it">${wave.current}</td><td class="number" data-title="Go down">${wave.exposed}</td>
        <td data-title="Held back">${Object.entries(wave.blockers).map(([why, count]) => `${count}: ${why}${such(wave, why)}`).join("; ") || "–"}</td>
        <td data-title="Such as">${wave.first.slice(0, 5).join(", ")}</td></tr>`)}</tbody></table></div>
    ${found.uncovered.length > 0 && html`<p>No canary for ${found.uncovered.map((kind) => `${[kind.hw, kind.roles, kind.link, kind.release]
      .filter(Boolean).join(", ")} (${kind.sites} sites)`).join("; ")}.</p>`}
    <${Settings} found=${found} />`;
}
