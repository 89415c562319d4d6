/** The sites of a rollout: failures by reason, and each site's way with its times. */
import { html, useState } from "../html.js";
import { useFetched } from "../fetched.js";
import { sitePath } from "../router.js";
import { Problem } from "../shell/failure.js";
import { Time } from "../time.js";
import { length, STATES, waveOf } from "./words.js";

const SHOWN = 50;
const WATCHED = new Set(["verifying", "soaking"]);

export function Failures({ id, turn }) {
  const { value } = useFetched(`/rollouts/${encodeURIComponent(id)}/failures`, turn);
  if (!value?.items.length) return null;
  return html`<section><h2>Failures</h2><div class="scroll"><table class="plain stack failures"><thead><tr><th class="number">Sites</th>
    <th>Type</th><th>Reason</th><th>Such as</th><th>What helps</th></tr></thead><tbody>${value.items.map((each) => html`<tr key=${`${each.failure}${each.step}${each.code}${each.reason}${each.went_back}${each.never_had}`}>
      <td class="number" data-title="Sites">${each.count.toLocaleString("en")}</td><td data-title="Type">${[...new Set([each.failure, each.step, each.code])].filter(Boolean).join(" ")}${each.went_back && ", went back"}${each.never_had && ", never had it"}</td>
      <td data-title="Reason">${each.reason}</td><td data-title="Such as">${each.sites.slice(0, 5).map((site) => html`<a key=${site}
        href=${sitePath(site)}>${site}</a> `)}</td>
      <td data-title="What helps">${each.remedy}</td></tr>`)}</tbody></table></div></section>`;
}

/** @param now the wave whose turn it is, which is shown until another is asked for; 0: none is, all are shown */
export function Sites({ id, turn, waves, now }) {
  const [wave, setWave] = useState("now");
  const [state, setState] = useState("");
  const { value, error } = useFetched(`/rollouts/${encodeURIComponent(id)}/jobs?limit=${SHOWN}&wave=${wave === "now" ? now : wave}${state && `&state=${state}`}`, turn);
  return html`<section><h2>Sites</h2><div class="toolbar">
      <label>Wave <select value=${wave} onChange=${(event) => setWave(event.target.value)}>
        <option value="now">${now ? "whose turn it is" : "all"}</option>${now > 0 && html`<option value="0">all</option>`}
        ${waves.map((each) => html`<option key=${each.wave} value=${String(each.wave)}>${waveOf(each)}</option>`)}</select></label>
      <label>State <select value=${state} onChange=${(event) => setState(event.target.value)}>${["", ...STATES].map((each) => html`<option
        key=${each} value=${each}>${each ? each.replaceAll("_", " ") : "all"}</option>`)}</select></label></div>
    ${error && !value ? html`<${Problem} error=${error} />` : !value ? html`<p class="empty">Reading…</p>` : !value.items.length ? html`<p class="empty">No site of it is in that state.</p>`
    : html`<div class="scroll"><table class="plain stack rollout-sites"><thead><tr><th>Site</th><th class="number">Wave</th><th>State</th><th>Since</th>
      <th>Had</th><th>Way</th><th>Detail</th></tr></thead><tbody>${value.items.map((job) => html`<${Row} key=${job.site} job=${job} />`)}</tbody></table></div>`}
    ${value?.next && html`<p class="quiet">The first ${SHOWN} by name; <code>roost rollout jobs</code> lists all.</p>`}</section>`;
}

const stateOf = (job) => (!job.is_back ? "" : job.state === "succeeded" ? `back on ${job.former}: ` : `on its way back to ${job.former}: `) + job.state.replaceAll("_", " ")
  + (job.never_had ? ", never had it" : "");

/** What a site waits for and how long, or why it failed and when it is tried again. */
const detailOf = (job) => [job.detail, job.left_s === null || job.left_s === undefined ? ""
  : WATCHED.has(job.state) ? `${job.left_s} s left` : `again in ${length(job.left_s)}`].filter(Boolean).join(", ");

function Row({ job }) {
  return html`<tr><th scope="row"><a href=${sitePath(job.site)}>${job.site}</a></th><td class="number" data-title="Wave">${job.wave}</td>
    <td data-title="State">${stateOf(job)}${job.attempt > 1 && ` (attempt ${job.attempt})`}</td>
    <td data-title="Since">${job.since ? html`<${Time} at=${job.since} />` : "–"}</td><td data-title="Had">${job.former || "–"}</td>
    <td data-title="Way">${job.steps.length ? html`<details><summary>${job.steps.length} ${job.steps.length === 1 ? "step" : "steps"}</summary><ol class="way">${job.steps.map((step, index) => html`<li
      key=${index}><${Time} at=${step.at} /> ${step.state.replaceAll("_", " ")}</li>`)}</ol></details>` : "–"}</td>
    <td data-title="Detail">${job.failure ? `${job.failure}: ` : ""}${detailOf(job) || (job.failure ? "" : "–")}</td></tr>`;
}
