/** What changed in an inventory, as sentences: by time, then part, then field. */
import { html, useState } from "../html.js";
import { useFetched } from "../fetched.js";
import { Problem } from "../shell/failure.js";
import { Time } from "../time.js";
import { fieldTitle, valueText } from "./humanise.js";

const SPANS = [["24h", "24 hours"], ["7d", "7 days"], ["30d", "30 days"], ["400d", "all"]];
const CLASSES_NAMED = 3; // told by name alone
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
  const path = `/nodes/${encodeURIComponent(node)}/inventory/changes?since=${since}`;
  const { value, error } = useFetched(path, revision);
  return html`<section class="changes"><h2>What changed
      <label class="choice"><span class="hidden">in the last</span>
        <select value=${since} onChange=${(event) => setSince(event.target.value)}>
          ${SPANS.map(([key, title]) => html`<option key=${key} value=${key}
            selected=${key === since}>${title}</option>`)}</select></label></h2>
    <${Problem} error=${error} />
    ${value && html`<${PartList} parts=${partsOf(value.items)} />`}</section>`;
}

function PartList({ parts }) {
  if (!parts.length) return html`<p class="empty">Nothing changed.</p>`;
  const hidden = parts.length - PARTS_MAX;
  return html`<ol class="diff">${parts.slice(0, PARTS_MAX)
    .map((part) => html`<${PartChange} key=${part.key} part=${part} />`)}</ol>
    ${hidden > 0 && html`<p class="quiet">and ${hidden} more parts</p>`}`;
}

/**
 * Gather the fields of one part at one time, newest first. Whole classes that came or went
 * together are one part: a first inventory is one line, not one for each class.
 * @param {Change[]} items
 * @returns {Part[]}
 */
export function partsOf(items) {
  /** @type {Map<string, Change[]>} */
  const parts = new Map();
  for (const change of items) {
    const what = change.item ? [change.section, change.item] : [change.old === null];
    const key = JSON.stringify([change.at, change.gen, ...what]);
    const list = parts.get(key);
    if (list) list.push(change);
    else parts.set(key, [change]);
  }
  return [...parts].map(([key, changes]) => {
    const [{ at, item }] = changes;
    const section = [...new Set(changes.map((change) => change.section))].sort().join(", ");
    return { key, at, section, item, kind: kindOf(changes), changes };
  }).sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

function kindOf(changes) {
  if (changes.every((change) => change.old === null)) return "added";
  return changes.every((change) => change.new === null) ? "removed" : "changed";
}

const SIGNS = { added: "+", removed: "−", changed: "~" };

function PartChange({ part }) {
  const { section, item, kind, at } = part;
  const fields = part.changes.filter((change) => change.field);
  return html`<li class=${`diff-${kind}`}><div class="diff-head">
      <b aria-hidden="true">${SIGNS[kind]}</b>
      <span>${item ? html`${section.replaceAll("_", " ")} <code>${item}</code> ${kind}`
    : wholeClasses(section, kind)}</span>
      <${Time} at=${at} /></div>
    <ul>${fields.map((change) => html`<${FieldChange} key=${change.field} ...${change} />`)}</ul></li>`;
}

/** A first inventory is some thirty classes at once: their number goes before their names. */
export function wholeClasses(section, kind) {
  const names = section.replaceAll("_", " ");
  const count = names.split(", ").length;
  return count > CLASSES_NAMED ? `${count} classes ${kind}: ${names}` : `${names} ${kind}`;
}

/** `old` and `new` are null where there was or is nothing. */
function FieldChange({ field, old, new: now }) {
  return html`<li><span class="diff-field">${fieldTitle(field)}</span>${" "}
    ${old !== null && html`<del>${valueText(field, old)}</del>`}
    ${old !== null && now !== null && html`<span aria-label="became"> → </span>`}
    ${now !== null && html`<ins>${valueText(field, now)}</ins>`}</li>`;
}
