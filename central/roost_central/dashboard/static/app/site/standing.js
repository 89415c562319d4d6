/** Whether a site is managed, and by subject in sync; and the act that changes the first. */
import { html, useState } from "../html.js";
import { Shape } from "../status.js";
import { Time } from "../time.js";
import { SiteActDialog } from "./acts.js";

const WORDS = {
  "in-sync": { name: "in-sync", letter: "S", shape: "square", tone: "ok" },
  unknown: { name: "unknown", letter: "U", shape: "ring", tone: "unknown" },
  "out-of-sync": { name: "out-of-sync", letter: "O", shape: "triangle", tone: "degraded" },
};

export function Standing({ value, onChange }) {
  const [asks, setAsks] = useState(false);
  const [said, setSaid] = useState("");
  return html`<div class="standing">
    ${value.managed ? html`<ul class="subjects" aria-label="In sync">${Object.entries(value.sync).map(([subject, word]) => html`<li
      key=${subject} class=${`tone-${WORDS[word].tone}`}><${Shape} state=${WORDS[word]} /> ${subject} ${word}</li>`)}</ul>`
    : html`<p class="unmanaged"><b>Not managed</b> since <${Time} at=${value.managed_since} />: ${value.managed_why}. It takes no
      orders and no settings, and its silence raises no alarm.</p>`}
    <button type="button" onClick=${() => setAsks(true)}>Change…</button>
    <span role="status">${said}</span>
    ${asks && html`<${SiteActDialog} target=${{ names: [value.site] }}
      whats=${["set", "remove", value.managed ? "unmanage" : "manage"]}
      onDone=${(text) => {
    setSaid(text);
    setAsks(false);
    onChange();
  }} onClose=${() => setAsks(false)} />`}</div>`;
}
