/** What a plan of profiles changes: sections first, then each setting from what to what. */
import { html } from "../html.js";

const shown = (value) => (value === null || value === undefined ? "not set" : typeof value === "string" ? value : JSON.stringify(value));
const many = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
const nodes = (count) => many(count, "node");

export function Settings({ found }) {
  if (!found.sections?.length) return null;
  return html`<h3>What changes</h3>
    <div class="scroll"><table class="plain stack sections"><thead><tr><th>Section</th><th class="number">Settings</th><th class="number">Nodes</th>
      <th class="number">Sites</th><th>Takes effect</th></tr></thead><tbody>${found.sections.map((each) => html`<tr key=${each.section}>
        <th scope="row">${each.section}</th><td class="number" data-title="Settings">${each.settings.toLocaleString("en")}</td>
        <td class="number" data-title="Nodes">${each.nodes.toLocaleString("en")}</td><td class="number" data-title="Sites">${each.sites.toLocaleString("en")}</td>
        <td data-title="Takes effect">${each.mark}${each.affects_service && html` <strong>affects services</strong>`}</td></tr>`)}</tbody></table></div>
    ${found.changes.map((group) => html`<details key=${group.examples.join(" ")}><summary>${nodes(group.nodes)}: ${many(group.changes.length, "setting")} (${group.examples.slice(0, 3).join(", ")})</summary>
      <div class="scroll"><table class="plain stack"><thead><tr><th>Setting</th><th>Now</th><th>Then</th></tr></thead><tbody>${group.changes.map((each) => html`<tr
        key=${each.path}><th scope="row" class="code">${each.path}</th><td data-title="Now">${shown(each.old)}</td>
        <td data-title="Then">${shown(each.new)}</td></tr>`)}</tbody></table></div></details>`)}
    ${found.changes_left > 0 && html`<p>${found.changes_left.toLocaleString("en")} more groups of nodes change: roost rollout plan shows all.</p>`}
    ${found.unable > 0 && html`<p>${nodes(found.unable)} take no settings now, and are not in it.</p>`}`;
}
