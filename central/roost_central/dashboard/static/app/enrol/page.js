/** Boxes that wait to be let in, each with its six words; and tokens, with the line that joins a box. */
import { html, useState } from "../html.js";
import { request } from "../api.js";
import { useFetched } from "../fetched.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { Age, toMs, useNow } from "../time.js";
import { QrCode } from "./qr.js";

const LIVES = [["3600", "1 hour"], ["86400", "1 day"], ["604800", "7 days"]];
const YES = [["", "a human approves each box"], ["yes", "empty slots are filled without asking"]];

const HINTS = {
  bare: "It brought no token. Read the words on the box itself, and type them: words that differ are somebody in between.",
  expired: "It was a node until its certificate ended. Let back into its slot it is a new box there, with the old history.",
  factory: "Its maker vouches for it, by a certificate from the factory. Whether it is yours, its number says:",
  key: "It has a key that was announced.",
  token: "It brought a token of its site.",
  tpm: "The maker of its TPM vouches for that, and for no more. Whether it is yours, its number says:",
};
const VOUCHED = new Set(["factory", "tpm"]); // why these wait says what their maker vouches for

/** @param {{model: import("../fleet/model.js").FleetModel}} given the fleet, for the names of its sites */
export function EnrolPage({ model }) {
  const boxes = useFetched("/enrolments");
  const claims = useFetched("/claims");
  const [asked, setAsked] = useState(null); // {what, box}
  const [made, setMade] = useState(null);
  const [said, setSaid] = useState("");
  const again = (text) => {
    setAsked(null);
    setSaid(text);
    boxes.reload();
    claims.reload();
  };
  const close = () => setAsked(null);
  return html`<main id="main" class="page"><h1>Enrolment</h1>
    <p class="said" role="status">${said}</p>
    <div class="toolbar"><button type="button" onClick=${() => again("")}>Read again</button>
      <button type="button" onClick=${() => setAsked({ what: "token" })}>New token</button></div>
    ${made && html`<${Made} claim=${made} />`}
    ${boxes.error && !boxes.value ? html`<${Problem} error=${boxes.error} />` : html`
      <section><h2>Boxes that wait</h2><${Boxes} rows=${boxes.value?.items} onAsk=${setAsked} /></section>
      <section><h2>Tokens and lists <small>the newest first</small></h2>
        ${claims.error && !claims.value ? html`<${Problem} error=${claims.error} />`
    : html`<${Claims} rows=${claims.value?.items} onRevoked=${again} />`}</section>`}
    ${asked?.what === "approve" && html`<${Approve} box=${asked.box} onDone=${again} onClose=${close} />`}
    ${asked?.what === "deny" && html`<${Deny} box=${asked.box} onDone=${again} onClose=${close} />`}
    ${asked?.what === "token" && html`<${NewToken} sites=${model.column("site")} onClose=${close} onMade=${(claim) => {
      setMade(claim);
      again("");
    }} />`}
    <${CopyLine} text="roost enrol list" /></main>`;
}

function Boxes({ rows, onAsk }) {
  if (!rows) return html`<p class="empty">Reading…</p>`;
  if (!rows.length) return html`<p class="empty">No box waits.</p>`;
  return html`<div class="scroll"><table class="plain boxes stack"><thead><tr><th>Box</th><th>Six words</th>
    <th>Site</th><th>Why it waits</th><th>Asked</th><th><span class="hidden">Do</span></th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.id}><th scope="row">${row.hardware.product || "unknown product"}${" "}
        <small class="code">${row.hardware.serial || row.id} ${row.address}</small></th>
      <td data-title="Six words" class="code">${row.words}</td>
      <td data-title="Site">${row.site || "–"}${row.node && `.${row.node}`}</td>
      <td data-title="Why it waits">${row.state === "approved" ? "let in; it has not asked since" : row.reason}</td>
      <td data-title="Asked"><${Age} at=${row.asked} suffix=" ago" /></td>
      <td>${row.state === "pending" && html`<button type="button" aria-label=${`Approve ${row.id}`}
          onClick=${() => onAsk({ what: "approve", box: row })}>Approve</button> <button type="button"
          aria-label=${`Deny ${row.id}`} onClick=${() => onAsk({ what: "deny", box: row })}>Deny</button>`}</td>
    </tr>`)}</tbody></table></div>`;
}

function Approve({ box, onDone, onClose }) {
  const isBare = box.kind === "bare";
  const hint = VOUCHED.has(box.kind) ? `${HINTS[box.kind]} ${box.reason}.` : HINTS[box.kind];
  const fields = [
    { name: "site", label: "Site", value: box.site, required: true },
    { name: "node", label: "Node: its slot, made where there is none", required: true },
    ...(isBare ? [{ name: "words", label: "The six words, as the box shows them", required: true }] : []),
    { name: "replace", label: "If the slot has a box", value: box.kind === "expired" ? "yes" : "",
      choices: [["", "refuse"], ["yes", "the box that is there goes"]] },
    { name: "reason", label: "Why that box goes, if it was heard in the last 15 minutes" },
  ];
  const send = async (values) => {
    const body = { site: values.site, node: values.node, words: values.words ?? "",
      replace: values.replace === "yes", reason: values.reason };
    await request(`/enrolments/${encodeURIComponent(box.id)}/approve`, { method: "POST", body });
    onDone(`${values.site}.${values.node} is let in.`);
  };
  const line = (values) => ["roost enrol approve", box.id, `--site ${shellWord(values.site || "SITE")}`,
    `--node ${shellWord(values.node || "NODE")}`, values.words && `--words ${shellWord(values.words)}`,
    values.replace && "--replace", values.reason && `--reason ${shellWord(values.reason)}`].filter(Boolean).join(" ");
  return html`<${AskDialog} title="Let a box in" button="Approve" fields=${fields} onSend=${send} onClose=${onClose}
    hint=${hint}>${(values) => html`<${CopyLine} text=${line(values)} />`}</${AskDialog}>`;
}

function Deny({ box, onDone, onClose }) {
  const send = async ({ reason }) => {
    await request(`/enrolments/${encodeURIComponent(box.id)}/deny`, { method: "POST", body: { reason } });
    onDone("The box is denied.");
  };
  return html`<${AskDialog} title="Deny a box" button="Deny" onSend=${send} onClose=${onClose}
    fields=${[{ name: "reason", label: "Reason; the box is told", required: true }]}
    hint="Its key is never let in; the box can ask again with a new one." />`;
}

function NewToken({ sites, onMade, onClose }) {
  const fields = [
    { name: "site", label: "Site", required: true, known: sites },
    { name: "node", label: "Node (empty: any empty slot)" },
    { name: "nodes_max", label: "Boxes it lets in", value: "1", required: true },
    { name: "auto", label: "Approval", choices: YES, value: "" },
    { name: "life", label: "For", choices: LIVES, value: "86400" },
  ];
  const send = async (values) => {
    onMade(await request("/claims", { method: "POST", body: {
      site: values.site, node: values.node ?? "", nodes_max: Number(values.nodes_max),
      auto_approve: values.auto === "yes", life_s: Number(values.life),
    } }));
  };
  return html`<${AskDialog} title="New token" button="Make it" fields=${fields} onSend=${send} onClose=${onClose}
    hint="It is shown once: whoever has it can bring a box in." />`;
}

function Made({ claim }) {
  return html`<section class="made"><h2>On the box, as root <small>shown this once</small></h2>
    <${CopyLine} text=${claim.join} label="the line" /><${QrCode} rows=${claim.qr} label="the line that joins a box" /></section>`;
}

/** When a claim counts no more, or that it does not already. */
function End({ claim }) {
  const ranOut = useNow() >= toMs(claim.not_after);
  if (claim.used >= claim.nodes_max) return "used up";
  if (ranOut) return html`ran out <${Age} at=${claim.not_after} suffix=" ago" />`;
  return html`in <${Age} at=${claim.not_after} isAhead=${true} />`;
}

function Claims({ rows, onRevoked }) {
  const [failure, setFailure] = useState("");
  const revoke = (id) => request(`/claims/${encodeURIComponent(id)}`, { method: "DELETE" })
    .then(() => onRevoked("The claim is revoked."), (error) => setFailure(error.message));
  if (!rows) return html`<p class="empty">Reading…</p>`;
  if (!rows.length) return html`<p class="empty">No token was made yet.</p>`;
  return html`${failure && html`<p class="said" role="alert">${failure}</p>`}
    <div class="scroll"><table class="plain claims stack"><thead><tr><th>Claim</th><th>Site</th>
    <th class="number">Used</th><th>Approves</th><th>Made</th><th>Ends</th><th><span class="hidden">Do</span></th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.id}><th scope="row" class="code">${row.id}${" "}
        <small>${row.kind} ${row.subject}</small></th>
      <td data-title="Site">${row.site}${row.node && `.${row.node}`}</td>
      <td class="number" data-title="Used">${row.used} of ${row.nodes_max}</td>
      <td data-title="Approves">${row.auto_approve ? "by itself" : "no"}</td>
      <td data-title="Made"><${Age} at=${row.made} suffix=" ago" /> by ${row.made_by}</td>
      <td data-title="Ends"><${End} claim=${row} /></td>
      <td>${row.revoked ? "revoked" : html`<button type="button" aria-label=${`Revoke ${row.id}`}
        onClick=${() => revoke(row.id)}>Revoke</button>`}</td></tr>`)}</tbody></table></div>`;
}
