/** One class of an inventory as a table: units for people, raw values on hover, why one is missing. */
import { html, useState } from "../html.js";
import { Age } from "../time.js";
import { fieldTitle, valueText } from "./humanise.js";

const ROWS_FIRST = 12; // drawn at once; a package list has thousands
const ROWS_MORE = 400;
const LIST_SHOWN = 8; // members of a list in a cell; CPU flags are over a hundred

/**
 * @typedef {{as_of: string, cost_ms: number, digest: string,
 *   items: Record<string, Record<string, any>>, missing: Record<string, string>}} Section
 */

export function SectionTable({ name, section, wanted }) {
  const ids = Object.keys(section.items).filter((id) => !wanted || wanted(id, section.items[id]));
  const total = Object.keys(section.items).length;
  const fields = fieldsOf(section);
  const single = total === 1;
  return html`<section class="section" id=${`section-${name}`}>
    <h3>${name.replaceAll("_", " ")} ${total !== 1 && html`<small>${ids.length < total ? `${ids.length} of ` : ""}${total}</small>`}
      ${section.as_of && html`<small class="cost">read <${Age} at=${section.as_of} suffix=" ago" /> in ${section.cost_ms} ms</small>`}</h3>
    ${section.missing?.["*"] && html`<p class="reason-line">
      <${Reason} reason=${section.missing["*"]} /> the whole class</p>`}
    ${total > 0 && (single ? html`<${Single} id=${Object.keys(section.items)[0]} fields=${fields} section=${section} />`
    : html`<${Many} ids=${ids} fields=${fields} section=${section} />`)}
  </section>`;
}

/** @returns {string[]} all fields that an item has or lacks with a reason, in order of appearance */
function fieldsOf(section) {
  const fields = new Set(Object.values(section.items).flatMap(Object.keys));
  const ids = Object.keys(section.items);
  for (const key of Object.keys(section.missing ?? {})) {
    const id = ids.find((one) => key.startsWith(`${one}.`));
    if (id !== undefined) fields.add(key.slice(id.length + 1));
  }
  return [...fields];
}

/** What is known stands in full; what is not, in one line for each reason. */
function Single({ id, fields, section }) {
  const lacks = (field) => (section.items[id]?.[field] ?? null) === null && section.missing?.[`${id}.${field}`];
  const known = fields.filter((field) => !lacks(field));
  const gaps = Map.groupBy(fields.filter(lacks), lacks);
  return html`<div class="single-box">${known.length > 0 && html`<dl class="single">${known.map((field) => html`<div key=${field}>
    <dt>${fieldTitle(field)}</dt><dd><${Value} id=${id} field=${field} section=${section} /></dd>
      </div>`)}</dl>`}
    ${[...gaps].map(([reason, without]) => html`<p class="reason-line" key=${reason}><${Reason} reason=${reason} />
      ${` ${without.map(fieldTitle).join(", ")}`}</p>`)}</div>`;
}

function Many({ ids, fields, section }) {
  const [shown, setShown] = useState(ROWS_FIRST);
  const rest = ids.length - shown;
  return html`<div class="scroll"><table class="plain inventory stack"><thead><tr><th>id</th>
      ${fields.map((field) => html`<th key=${field}>${fieldTitle(field)}</th>`)}</tr></thead>
    <tbody>${ids.slice(0, shown).map((id) => html`<tr key=${id}><th scope="row">${id}</th>
      ${fields.map((field) => html`<td key=${field} data-title=${fieldTitle(field)}>
        <${Value} id=${id} field=${field} section=${section} /></td>`)}</tr>`)}</tbody>
    </table></div>
    ${rest > 0 && html`<button type="button" onClick=${() => setShown(shown + ROWS_MORE)}>
      ${Math.min(rest, ROWS_MORE)} more of ${ids.length}</button>`}`;
}

function Value({ id, field, section }) {
  const value = section.items[id]?.[field];
  const reason = section.missing?.[`${id}.${field}`];
  if (value === null || value === undefined) {
    return reason ? html`<${Reason} reason=${reason} />` : html`<span class="never">–</span>`;
  }
  const raw = `${field} = ${JSON.stringify(value)}`;
  if (Array.isArray(value) && value.length > LIST_SHOWN) {
    return html`<details><summary>${value.slice(0, LIST_SHOWN).join(", ")} … ${value.length}</summary>
      ${value.join(", ")}</details>`;
  }
  return html`<span title=${raw} class=${typeof value === "number" ? "number" : ""}>${valueText(field, value)}</span>`;
}

const WHY = {
  absent: "this machine has none", denied: "needs rights that the agent was not given",
  "io-error": "the device answered with an error", busy: "in use at the time",
  timeout: "did not answer in time", unsupported: "not offered by the device or kernel",
  asleep: "left asleep on purpose", placeholder: "the maker left a filler text",
  "no-module": "no kernel module is loaded", "too-big": "past the bound of one value",
};

export function Reason({ reason }) {
  return html`<span class="reason" title=${WHY[reason] ?? reason}>${reason}</span>`;
}
