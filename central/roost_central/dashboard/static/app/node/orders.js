/** The last orders to a node, and the dialog that places one. */
import { html, useState } from "../html.js";
import { request } from "../api.js";
import { useFetched } from "../fetched.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { Time } from "../time.js";

const SHOWN = 5; // the command line has the rest
const LIVES = [["3600", "1 hour"], ["600", "10 minutes"], ["86400", "1 day"]];

/** @param {{node: string, revision: any}} given `revision` is another whenever the node was heard */
export function Orders({ node, revision }) {
  const { value, error, reload } = useFetched(`/orders?node=${encodeURIComponent(node)}&limit=${SHOWN}`, revision);
  const [asked, setAsked] = useState(null); // the verbs, once somebody wants to order
  const [said, setSaid] = useState("");
  const ask = () => request("/order-verbs").then((found) => setAsked(found.items.filter((each) => !each.never)),
    (failure) => setSaid(failure.message));
  const done = (text) => {
    setAsked(null);
    setSaid(text);
    reload();
  };
  const act = (order, what, body) => request(`/orders/${order.id}/${what}`, { method: "POST", body })
    .then(() => done(`The order is ${what === "approve" ? "approved" : "cancelled"}.`), (failure) => setSaid(failure.message));
  return html`<section class="orders"><h2>Orders <small>signed, and done once</small></h2>
    <p class="said" role="status">${said}</p>
    <div class="toolbar"><button type="button" onClick=${ask}>Order something</button></div>
    <${Problem} error=${error} />
    <${Rows} rows=${value?.items} onAct=${act} />
    ${asked && html`<${Place} node=${node} verbs=${asked} onDone=${done} onClose=${() => setAsked(null)} />`}
  </section>`;
}

function Rows({ rows, onAct }) {
  if (!rows) return html`<p class="empty">Reading…</p>`;
  if (!rows.length) return html`<p class="empty">Nothing was ordered yet.</p>`;
  return html`<div class="scroll"><table class="plain stack"><thead><tr><th>Order</th><th>State</th><th>Changed</th>
    <th>By</th><th>What came of it</th><th><span class="hidden">Do</span></th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.id}><th scope="row">${row.verb}${" "}
        <small class="code">${words(row.given)}</small></th>
      <td data-title="State">${row.state}</td><td data-title="Changed"><${Time} at=${row.changed} /></td>
      <td data-title="By">${[row.by, row.approved_by].filter(Boolean).join(", ")}</td>
      <td data-title="What came of it">${row.text || (row.state === "pending" ? "waits for a second person" : row.reason)}</td>
      <td>${row.state === "pending" && html`<button type="button" aria-label=${`Approve ${row.verb}`}
          onClick=${() => onAct(row, "approve")}>Approve</button> `}
        ${["pending", "ready"].includes(row.state) && html`<button type="button" aria-label=${`Cancel ${row.verb}`}
          onClick=${() => onAct(row, "cancel", { reason: "cancelled on the node's page" })}>Cancel</button>`}</td>
    </tr>`)}</tbody></table></div>`;
}

function Place({ node, verbs, onDone, onClose }) {
  const fields = [
    { name: "verb", label: "What", value: verbs[0].verb, choices: verbs.map((each) => [each.verb, each.title]) },
    { name: "given", label: "Arguments: name=value, with blanks between them" },
    { name: "reason", label: "Reason" },
    { name: "life", label: "Counts for", value: "3600", choices: LIVES },
  ];
  const send = async (values) => {
    const body = { verb: values.verb, given: given(values.given), reason: values.reason, life_s: Number(values.life) };
    const order = await request(`/nodes/${encodeURIComponent(node)}/orders`, { method: "POST", body });
    onDone(order.state === "pending" ? `${order.verb} waits for a second person.` : `${order.verb} is ordered.`);
  };
  const line = (values) => ["roost node order", node, values.verb, values.given,
    values.reason && `--reason ${shellWord(values.reason)}`].filter(Boolean).join(" ");
  return html`<${AskDialog} title="Order something" button="Order" fields=${fields} onSend=${send} onClose=${onClose}
    hint="It is signed for this node alone, and done at most once.">${(values) => html`<p class="quiet">${
      needs(verbs.find((each) => each.verb === values.verb))}</p><${CopyLine} text=${line(values)} />`}</${AskDialog}>`;
}

/** @param {{given: string[], needs_reason: boolean, by_two: boolean}} verb */
function needs(verb) {
  const parts = [verb.given.length ? `Arguments: ${verb.given.join(", ")}` : "No arguments",
    verb.needs_reason && "needs a reason", verb.by_two && "needs a second person"];
  return `${parts.filter(Boolean).join("; ")}.`;
}

/** @param {Record<string, any>} values */
function words(values) {
  return Object.entries(values).filter(([, value]) => value !== "").map(([name, value]) => `${name}=${value}`).join(" ");
}

/** @param {string} text @returns {Record<string, string>} */
export function given(text) {
  const pairs = text.split(/\s+/).filter(Boolean).map((word) => {
    const at = word.indexOf("=");
    return at < 0 ? [word, ""] : [word.slice(0, at), word.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}
