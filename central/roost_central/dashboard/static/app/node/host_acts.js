/** What can be done to a host: what is in the way of it, and a dialog that says what it would break. */
import { html, useState } from "../html.js";
import { request } from "../api.js";
import { useFetched } from "../fetched.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { follow, standing, useLeft } from "./follow.js";

const SPANS = [["7200", "2 hours"], ["1800", "30 minutes"], ["28800", "8 hours"], ["86400", "1 day"], ["259200", "3 days"], ["0", "end it now"]];

/** @param {{node: string, revision: any, onDone: () => void}} given */
export function HostActs({ node, revision, onDone }) {
  const { value, error, reload } = useFetched(`/nodes/${encodeURIComponent(node)}/host/actions`, revision);
  const [asked, setAsked] = useState(null);
  const [said, setSaid] = useState("");
  const left = useLeft();
  if (!value) return html`<${Problem} error=${error} />`;
  const done = (answer) => {
    setAsked(null);
    const { order } = answer;
    setSaid(order ? `${answer.action}: ${standing(order)}` : `${answer.action} of ${node} is done.`);
    const ended = () => {
      if (left.aborted) return;
      reload();
      onDone();
    };
    if (order) follow(order, (now) => setSaid(`${answer.action}: ${standing(now)}`), left).then(ended);
    else ended();
  };
  const inWay = value.items.filter((each) => !each.allowed);
  return html`<div class="toolbar host-acts" role="group" aria-label="Actions">${value.items.filter((each) => each.allowed).map((each) => html`<button
      key=${each.action} type="button" title=${each.title} onClick=${() => setAsked(each)}>${word(each.action)}…</button>`)}</div>
    <p class="said" role="status">${said}</p>
    ${inWay.length > 0 && html`<details class="in-way"><summary>What else there is, and what is in the way of it (${inWay.length})</summary>
      <${InTheWay} rows=${inWay} onForce=${setAsked} /></details>`}
    ${asked && html`<${ActDialog} node=${node} page=${value} act=${asked} onDone=${done} onClose=${() => setAsked(null)} />`}`;
}

function InTheWay({ rows, onForce }) {
  return html`<div class="scroll"><table class="plain stack"><thead><tr><th>Action</th><th>In the way</th><th>What to do</th>
    <th><span class="hidden">Do</span></th></tr></thead><tbody>${rows.map((row) => html`<tr key=${row.action}>
      <th scope="row">${row.action}</th>
      <td data-title="In the way">${row.blockers.map((each) => html`<div key=${each.text}>${each.text}</div>`)}</td>
      <td data-title="What to do">${row.blockers.map((each) => html`<div key=${each.text}>${withCode(each.todo)}</div>`)}</td>
      <td>${row.forcible && html`<button type="button" aria-label=${`${word(row.action)} by force`} onClick=${() => onForce(row)}>By force…</button>`}</td>
    </tr>`)}</tbody></table></div>`;
}

/** Text with commands between backticks, as the command line prints it. */
const withCode = (text) => text.split("`").map((part, at) => (at % 2 ? html`<code>${part}</code>` : part));

/** @param {{node: string, page: any, act: any, onDone: (answer: any) => void, onClose: () => void}} given */
function ActDialog({ node, page, act, onDone, onClose }) {
  const isForced = !act.allowed;
  const needsName = isForced || act.needs_confirm;
  const isSpan = act.action === "maintenance";
  const fields = [{ name: "reason", label: "Reason; the node and the audit log keep it", required: true }];
  if (isSpan) fields.push({ name: "seconds", label: "For", value: "7200", choices: SPANS });
  const isImage = act.action === "reinstall";
  if (isImage) fields.push({ name: "image", label: "Image: COMPONENT@VERSION of a release, or its digest", required: true });
  if (needsName) fields.push({ name: "confirm", label: "The node's id, to say that you mean it", required: true });
  const send = async (values) => {
    if (needsName && values.confirm !== node) throw new Error(`This is ${node}: type just that.`);
    const expect = Object.fromEntries(["admin", "oper", "avail", "generation"].filter((key) => page[key] !== null).map((key) => [key, page[key]]));
    const body = { reason: values.reason, expect, force: isForced, confirm: needsName ? node : "" };
    if (isSpan) body.seconds = Number(values.seconds);
    if (isImage) body.image = values.image;
    onDone(await request(`/nodes/${encodeURIComponent(node)}/host:${act.action}`, { method: "POST", body }));
  };
  const line = (values) => [`roost host ${act.action} ${node}`, isForced && "--force", isSpan && `--for ${values.seconds}${values.seconds === "0" ? "" : "s"}`,
    isImage && values.image && `--image ${shellWord(values.image)}`, values.reason && `-m ${shellWord(values.reason)}`].filter(Boolean).join(" ");
  return html`<${AskDialog} title=${`${word(act.action)} ${node}${isForced ? " by force" : ""}`} hint=${act.title}
      button=${word(act.action)} fields=${fields} onSend=${send} onClose=${onClose}>${(values) => html`
    ${isForced && html`<div class="problem"><strong>Goes past:</strong><ul>${act.blockers.map((each) => html`<li key=${each.text}>${each.text}</li>`)}</ul></div>`}
    <${Effects} act=${act} /><${CopyLine} text=${line(values)} />`}</${AskDialog}>`;
}

/** The blast radius: what moves, what stops, what is left of the site. */
function Effects({ act }) {
  if (!act.effects.length) return html`<p class="quiet">No service of local HA moves or stops by it, as far as the centre knows.</p>`;
  return html`<div><strong>It would:</strong><ul class="told effects">${act.effects.map((each) => html`<li key=${each.text}
    class=${each.kind === "stops" ? "tone-down" : ""}>${each.text}</li>`)}</ul></div>`;
}

const word = (action) => action[0].toUpperCase() + action.slice(1).replace("-", " ");
