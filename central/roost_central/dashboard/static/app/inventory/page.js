/** The inventory of the fleet: a part by what is written on it, or the items of a class. */
import { html, useState } from "../html.js";
import { Export } from "../alarms/download.js";
import { queryString } from "../api.js";
import { useFetched, usePages } from "../fetched.js";
import { QueryBox } from "../fleet/querybox.js";
import { fieldTitle, valueText } from "../node/humanise.js";
import { Reason } from "../node/section.js";
import { CLASSES, STARRED } from "../query-fields.js";
import { checked } from "../query.js";
import { nodePath, setParams } from "../router.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { Part } from "./part.js";

const FIRST_CLASS = "nic";
const COLUMNS_MAX = 8; // of a class without starred fields

export function InventoryPage({ route }) {
  const get = (name) => route.params.get(name) ?? "";
  const [text, part] = [get("text"), get("part")];
  const sought = (event) => {
    event.preventDefault();
    setParams({ text: event.currentTarget.elements.text.value.trim(), part: "" }, { replace: false });
  };
  return html`<main id="main" class="page"><h1>Inventory</h1>
    <form class="toolbar" role="search" key=${text} onSubmit=${sought}>
      <label>Part <input name="text" type="search" defaultValue=${text} autocomplete="off" spellcheck=${false}
        placeholder="serial, MAC, WWN, 8086:1592, firmware, package" size="46" /></label>
      <button type="submit">Find</button>
      ${text && html`<button type="button" onClick=${() => setParams({ text: "", part: "" })}>All items</button>`}</form>
    ${part ? html`<${Part} key=${part} part=${part} />` : text ? html`<${Hits} text=${text} />`
    : html`<${Items} itemClass=${get("class") || FIRST_CLASS} where=${get("where")} q=${get("q")} />`}
  </main>`;
}

function Hits({ text }) {
  const { value, error } = useFetched(`/inventory/search${queryString({ text })}`);
  if (error) return html`<${Problem} error=${error} />`;
  if (!value) return html`<p class="empty">Reading…</p>`;
  return html`<p class="quiet" role="status">${value.items.length}${value.more ? "+" : ""} found${!value.items.length && html`: no
      part in the fleet is <code>${text}</code>. Sought were whole serials, MACs, WWNs, PCI ids, firmware and packages, in
      either case; a part of one is a query: <code>inv.disk.serial:*TEXT*</code>.`}</p>
    ${value.items.length > 0 && html`<div class="scroll"><table class="plain inventory stack"><thead><tr><th>Node</th><th>Class</th>
      <th>Part</th><th>Field</th><th>Value</th></tr></thead><tbody>${value.items.map((hit) => html`<tr
      key=${JSON.stringify(hit)}><th scope="row"><a href=${nodePath(hit.node)}>${hit.node}</a></th>
      <td data-title="Class">${hit.class.replaceAll("_", " ")}</td>
      <td data-title="Part"><a href=${partPath(hit.class, hit.item)}>${hit.item}</a></td>
      <td data-title="Field">${fieldTitle(hit.field)}</td><td class="code" data-title="Value">${hit.value}</td></tr>`)}</tbody></table></div>`}
    <${CopyLine} text=${`roost inventory search ${shellWord(text)}`} />`;
}

/** @param {string} itemClass @param {string} item */
const partPath = (itemClass, item) => `/inventory${queryString({ part: `${itemClass} ${item}` })}`;

function Items({ itemClass, where, q }) {
  const [typed, setTyped] = useState(q);
  const [failure, setFailure] = useState("");
  const [filter, error] = checked(typed, q, "node");
  const path = `/inventory/classes/${encodeURIComponent(itemClass)}`;
  const view = { filter, where };
  const pages = usePages(path, view);
  const line = `roost inventory list ${itemClass}${where && ` ${shellWord(where)}`}${filter && ` -q ${shellWord(filter)}`}`;
  const narrow = (event) => {
    event.preventDefault();
    setParams({ where: event.currentTarget.elements.where.value.trim() });
  };
  return html`<div class="toolbar"><label>Class <select value=${itemClass}
      onChange=${(event) => setParams({ class: event.target.value, where: "" })}>${Object.keys(CLASSES).map((name) => html`<option
        key=${name} value=${name} selected=${name === itemClass}>${name.replaceAll("_", " ")}</option>`)}</select></label>
      <form key=${`${itemClass} ${where}`} onSubmit=${narrow}><label>Items with <input name="where" defaultValue=${where}
        autocomplete="off" spellcheck=${false} placeholder="driver=ice firmware<4.20" size="30" /></label></form>
      <${Export} path=${path} filter=${filter} where=${where} onFailure=${setFailure} /></div>
    <${QueryBox} value=${q} onText=${setTyped} error=${error} placeholder="nodes: region:r0* age<1h"
      summary="of all nodes" />
    ${failure && html`<p role="alert">${failure}</p>`}
    ${pages.error ? html`<${Problem} error=${pages.error} />` : !pages.items ? html`<p class="empty">Reading…</p>`
    : html`<${Table} itemClass=${itemClass} items=${pages.items} />`}
    ${pages.older && html`<p><button type="button" onClick=${pages.older}>More nodes</button></p>`}
    <${CopyLine} text=${line} />`;
}

function Table({ itemClass, items }) {
  if (!items.length) return html`<p class="empty">No node has such an item.</p>`;
  const told = [...new Set(items.flatMap((item) => Object.keys(item.fields)))];
  const columns = STARRED[itemClass] ?? told.slice(0, COLUMNS_MAX);
  return html`<p class="quiet" role="status">${items.length} items</p><div class="scroll"><table class="plain inventory stack"><thead>
    <tr><th>Node</th><th>Item</th>${columns.map((name) => html`<th key=${name}>${fieldTitle(name)}</th>`)}</tr></thead>
    <tbody>${items.map((item) => html`<tr key=${`${item.node} ${item.id}`}><th scope="row">
      <a href=${nodePath(item.node)}>${item.node}</a></th><td data-title="Item"><a href=${partPath(itemClass, item.id)}>${item.id}</a></td>
      ${columns.map((name) => html`<td key=${name} data-title=${fieldTitle(name)}>${cell(item, name)}</td>`)}</tr>`)}</tbody></table></div>`;
}

function cell(item, name) {
  const value = item.fields[name];
  if (value !== null && value !== undefined) return valueText(name, value);
  return item.missing[name] ? html`<${Reason} reason=${item.missing[name]} />` : "–";
}
