/** What changed in an inventory, as sentences: by time, then part, then field. */
import { html, useState } from "../html.js";
import { useFetched } from "../fetched.js";
import { Problem } from "../shell/failure.js";
import { Time } from "../time.js";
import { fieldTitle, valueText } from "./humanise.js";

const SPANS = [["24h", "24 hours"], ["7d", "7 days"], ["30d", "30 days"], ["400d", "all"]];
const PARTS_MAX = 100; // parts shown; the command line has the rest

/**
 * A change without a field is one of the whole part or, without an item, of the whole class.
 * @typedef {{at: string, gen: number, section: string, item: string, field: string,
 *   old: any, new: any}} Change
 * @typedef {{key: string, at: string, section: string, item: string, kind: string,
 *   changes: Change[]}} Part
 */

export function Changes({ node, revision }) {
  const [since, setSince] = useState("7d");
  const { value, error } = useFetched(`/nodes/${encodeURIComponent(node)}/inventory/changes?since=${since}`, revision);
  const parts = value && partsOf(value.items);
  return html`<section class="changes"><h2>What changed
      <label class="choice"><span class="hidden">in the last</span><select value=${since}
        onChange=${(event) => setSince(event.target.value)}>${SPANS.map(([key, title]) => html`<option
          key=${key} value=${key} selected=${key === since}>${title}</option>`)}</select></label></h2>
    <${Problem} error=${error} />
    ${parts && (parts.length === 0 ? html`<p class="empty">Nothing changed.</p>`
    : html`<ol class="diff">${parts.slice(0, PARTS_MAX).map((part) => html`<${PartChange} key=${part.key} part=${part} />`)}</ol>`)}
    ${parts && parts.length > PARTS_MAX && html`<p class="quiet">and ${parts.length - PARTS_MAX} more parts</p>`}
  </section>`;
}

/** Gather the fields of one part at one time, newest first. @param {Change[]} items @returns {Part[]} */
export function partsOf(items) {
  /** @type {Map<string, Change[]>} */
  const parts = new Map();
  for (const change of items) {
    const key = JSON.stringify([change.at, change.gen, change.section, change.item]);
    const list = parts.get(key);
    if (list) list.push(change);
    else parts.set(key, [change]);
  }
  return [...parts].map(([key, changes]) => {
    const [{ at, section, item }] = changes;
    return { key, at, section, item, kind: kindOf(changes), changes };
  }).sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

function kindOf(changes) {
  if (changes.every((change) => change.old === null)) return "added";
  return changes.every((change) => change.new === null) ? "removed" : "changed";
}

const SIGNS = { added: "+", removed: "−", changed: "~" };

function PartChange({ part }) {
  return html`<li class=${`diff-${part.kind}`}><div class="diff-head"><b aria-hidden="true">${SIGNS[part.kind]}</b>
    <span class="diff-what">${part.section.replaceAll("_", " ")} ${part.item && html`<code>${part.item}</code> `}${part.kind}</span>
    <${Time} at=${part.at} /></div>
    <ul>${part.changes.filter((change) => change.field).map((change) => html`<li key=${change.field}><span class="diff-field">${fieldTitle(change.field)}</span>${" "}
      ${change.old !== null && html`<del>${valueText(change.field, change.old)}</del>`}
      ${change.old !== null && change.new !== null && html`<span aria-label="became"> → </span>`}
      ${change.new !== null && html`<ins>${valueText(change.field, change.new)}</ins>`}</li>`)}</ul></li>`;
}
