/** The life of a node's identity: its generations, quarantine, and the next box in its slot. */
import { html, useState } from "../html.js";
import { request } from "../api.js";
import { useFetched } from "../fetched.js";
import { QrCode } from "../enrol/qr.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { Time } from "../time.js";
import { Held } from "./held.js";

const OVER = new Set(["denied", "revoked", "replaced", "decommissioned"]); // states that nothing ends
const REASON = { name: "reason", label: "Reason; it stands in the audit log", required: true };
const ACTS = {
  release: { title: "Let out of quarantine", button: "Let out", fields: [REASON],
    hint: "Where two boxes used this identity, take the other one off the network before." },
  quarantine: { title: "Put in quarantine", button: "Put in quarantine", fields: [REASON],
    hint: "It is heard and shown, and gets no order and no renewal, until somebody lets it out." },
  replace: { title: "Replace the box", button: "Make a token",
    fields: [{ ...REASON, required: false, label: "Reason; needed where its box was heard in 15 minutes" }],
    hint: "The next box that joins by this token gets the name and the history; the old one is shut out then." },
  revoke: { title: "Revoke the identity", button: "Revoke for good",
    fields: [REASON, { name: "node", label: "The node's id, to say that you mean it", required: true }],
    hint: "It is mute and shut out within ten seconds. Nothing takes this back: to be a node again the box is enrolled anew." },
};

/** @param {{node: any}} given a node as the API says it */
export function Identity({ node }) {
  const name = node.node;
  const { value, reload } = useFetched(`/nodes/${encodeURIComponent(name)}/identities`, node.quarantine?.since ?? "");
  const [asked, setAsked] = useState("");
  const [made, setMade] = useState(null);
  const rows = value?.items;
  if (!rows?.length) return null; // a node of the demo has none
  const send = async ({ reason, node: meant }) => {
    if (asked === "revoke" && meant !== name) throw new Error(`This is ${name}: type just that to revoke it.`);
    const body = { reason };
    const answer = await request(`/nodes/${encodeURIComponent(name)}/${asked}`, { method: "POST", body });
    setMade(asked === "replace" ? answer : null);
    setAsked("");
    reload();
  };
  const held = rows.find((row) => row.quarantine);
  return html`<section class="identity"><h2>Identity <small>each key that stood for the node, the newest first</small></h2>
    <div class="toolbar">
      <button type="button" onClick=${() => setAsked(held ? "release" : "quarantine")}>${ACTS[held ? "release" : "quarantine"].title}</button>
      <button type="button" onClick=${() => setAsked("replace")}>Replace the box</button>
      ${rows.some((row) => !OVER.has(row.state)) && html`<button type="button"
        onClick=${() => setAsked("revoke")}>Revoke…</button>`}</div>
    ${made && html`<section class="made"><h3>On the new box, as root <small>shown this once</small></h3>
      <${CopyLine} text=${made.join} label="the line" /><${QrCode} rows=${made.qr} label="the line that joins the new box" /></section>`}
    <${Generations} rows=${rows} />
    <${Held} node=${name} isShut=${rows.some((row) => row.quarantine && row.quarantine !== "grace")} revision=${node.heard} />
    ${asked && html`<${AskDialog} ...${ACTS[asked]} onSend=${send} onClose=${() => setAsked("")}>${(values) => html`<${CopyLine}
      text=${`roost node ${asked} ${name}${values.reason ? ` --reason ${shellWord(values.reason)}` : ""}`} />`}</${AskDialog}>`}
  </section>`;
}

/** Why a node is in quarantine, where it is. */
export function QuarantineNote({ held }) {
  if (!held) return null;
  return html`<p class="problem quarantine" role="status"><strong>In quarantine</strong> since${" "}
    <${Time} at=${held.since} />: ${held.reason}. It is heard and shown, and gets no order, no roll-out and no renewal.${
    held.cause === "grace" ? "" : " What it reports is kept apart."}</p>`;
}

function Generations({ rows }) {
  return html`<div class="scroll"><table class="plain generations stack"><thead><tr><th class="number">Generation</th>
    <th class="number">Box</th><th>State</th><th>Since</th><th>Certificate until</th><th>Why</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.generation}><th scope="row" class="number">${row.generation}</th>
      <td class="number" data-title="Box">${row.box}</td><td data-title="State">${row.state.replaceAll("_", " ")}</td>
      <td data-title="Since"><${Time} at=${row.changed} /></td><td data-title="Certificate until"><${Time} at=${row.not_after} /></td>
      <td data-title="Why">${row.reason || "–"}</td></tr>`)}</tbody></table></div>`;
}
