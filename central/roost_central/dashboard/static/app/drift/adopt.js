/** What a node has, as a profile: its text, what it would change, and the button that has it count. */
import { html, useState } from "../html.js";
import { request } from "../api.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine } from "../shell/copy.js";

/**
 * The draft is made when somebody looks at it; nothing is changed by that.
 *
 * @param {{node: string, setting: string, onDone: (said: string) => void}} given `onDone`: once it counts
 */
export function Adopt({ node, setting, onDone }) {
  const [made, setMade] = useState(null);
  const [asks, setAsks] = useState(false);
  const read = (event) => event.currentTarget.open && !made && draft(node, setting).then(setMade,
    (failure) => setMade({ error: failure.message }));
  const apply = async (values) => {
    const body = { files: [file(made)], reason: values.reason, expect: made.plan.changed };
    await request("/profiles:apply", { method: "POST", body });
    onDone(`${node} should be what it is: ${made.profile} counts.`);
  };
  return html`<details onToggle=${read}><summary aria-label=${`Adopt ${setting} of ${node}`}>Adopt</summary>
    ${!made ? html`<p class="empty">Reading…</p>` : made.error ? html`<p class="problem">${made.error}</p>`
    : html`<pre class="code">${made.source}</pre><${Plan} plan=${made.plan} />
      <p><button type="button" disabled=${made.plan.faults.length > 0 || !made.plan.changed}
        onClick=${() => setAsks(true)}>Have it count…</button></p>
      <${CopyLine} text=${`roost drift adopt ${node} --out ${made.file}`} /><${CopyLine} text=${`roost profile preview ${made.file}`} />`}
    ${asks && html`<${AskDialog} title=${`Adopt ${setting} of ${node}`} button="Adopt" onSend=${apply} onClose=${() => setAsks(false)}
      hint=${`The profile ${made.profile} is applied: ${nodes(made.plan.changed)} should be something else then.`}
      fields=${[{ name: "reason", label: "Reason" }]} />`}</details>`;
}

async function draft(node, setting) {
  const made = await request(`/nodes/${encodeURIComponent(node)}/drift:adopt`, { method: "POST", body: { settings: [setting] } });
  const plan = await request("/profiles:preview", { method: "POST", body: { files: [file(made)] } });
  return { ...made, plan };
}

const file = (made) => ({ file: made.file, source: made.source });

const nodes = (count) => (count === 1 ? "one node" : `${count} nodes`);

function Plan({ plan }) {
  if (plan.faults.length) {
    return html`<ul class="problem">${plan.faults.map((each) => html`<li key=${each.where + each.detail}>${each.where}: ${each.detail}</li>`)}</ul>`;
  }
  if (!plan.changed) return html`<p>It says what the profiles say already.</p>`;
  return html`<p>${nodes(plan.changed)} would change:</p><ul>${plan.groups.flatMap((group) => group.changes).map((each) => html`<li
    key=${each.path}><code>${each.path}</code> ${each.old === null ? "comes" : html`from <code>${JSON.stringify(each.old)}</code>`}${each.new
    === null ? " and goes" : html` to <code>${JSON.stringify(each.new)}</code>`}</li>`)}</ul>`;
}
