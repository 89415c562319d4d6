/** A node's board controller: who it is, what is wrong with it, how it was set, and having it reached. */
import { html, useState } from "../html.js";
import { request } from "../api.js";
import { useFetched } from "../fetched.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { Age } from "../time.js";
import { follow, standing, useLeft } from "./follow.js";

const STALE_MS = 3_600_000; // who reads one tells it every half hour
const READERS = [["site", "a node of its site"], ["centre", "the centre: it polls, and nobody acts by it"]];
const KINDS = [["dynamic", "Redfish, else IPMI"], ["redfish", "Redfish"], ["ipmi", "IPMI"]];

/** @param {{node: string, revision: any}} given `revision`: asks again when it changes */
export function Board({ node, revision }) {
  const at = `/nodes/${encodeURIComponent(node)}/bmc`;
  const { value, error, reload } = useFetched(at, revision);
  const [asked, setAsked] = useState("");
  const [said, setSaid] = useState("");
  const left = useLeft();
  if (!value) return html`<${Problem} error=${error} />`;
  const close = () => setAsked("");
  const done = (text) => { close(); setSaid(text); reload(); };
  const reach = async (what, body) => {
    const { by, order, reached } = await request(`${at}:${what}`, { method: "POST", body });
    close();
    if (!order) {
      setSaid([`${by}: ${reached.fault ? `${reached.fault}: ` : ""}${reached.text}`, reached.todo].filter(Boolean).join("; "));
      reload();
      return;
    }
    setSaid(`${by}: ${standing(order)}`);
    const ended = await follow(order, (now) => setSaid(`${by}: ${standing(now)}`), left);
    if (left.aborted) return;
    setSaid(`${by}: ${standing(ended)}${ended.code && ` (${ended.code})`}`);
    reload();
  };
  const forget = async (values) => {
    await request(`${at}:forget`, { method: "POST", body: values });
    done("It is forgotten; who reads it is told.");
  };
  const test = () => reach("test").catch((failure) => setSaid(failure.message));
  const isThere = value.as_of || value.configured;
  return html`<section class="board"><h2>Board controller ${value.as_of && html`<small>told <${Age} at=${value.as_of} staleMs=${STALE_MS} suffix=" ago" /> by ${value.speaker}</small>`}</h2>
    ${value.fault && html`<p class="problem">${value.fault}, ${value.failures} in a row${value.todo && html`<br />${value.todo}`}</p>`}
    ${isThere ? html`<${Facts} found=${value} />` : html`<p class="empty">Nobody reads one of this node.</p>`}
    <div class="toolbar" role="group" aria-label="Board controller">
      ${isThere && html`<button type="button" onClick=${test}>Test</button>
        <button type="button" onClick=${() => setAsked("relearn")}>Learn anew…</button>`}
      <button type="button" onClick=${() => setAsked("set")}>Set…</button>
      ${value.configured && html`<button type="button" onClick=${() => setAsked("forget")}>Forget…</button>`}</div>
    <p class="said" role="status">${said}</p>
    <${CopyLine} text=${`roost bmc show ${node}`} />
    ${asked === "set" && html`<${SetDialog} node=${node} at=${at} now=${value.configured} onDone=${done} onClose=${close} />`}
    ${asked === "relearn" && html`<${AskDialog} title=${`Learn the board controller of ${node} anew`} button="Learn anew"
      hint="Its certificate, machine and sensors, as they are now: settings stay. Do it when the board was replaced."
      fields=${[{ name: "reason", label: "Reason; the audit log keeps it", required: true }]}
      onSend=${(values) => reach("relearn", values)} onClose=${close} />`}
    ${asked === "forget" && html`<${AskDialog} title=${`Forget the board controller of ${node}`} button="Forget"
      hint="Address, account and password, here and on the nodes of its site: nobody reads or switches it any more."
      fields=${[{ name: "reason", label: "Reason; the audit log keeps it", required: true }]}
      onSend=${forget} onClose=${close} />`}
  </section>`;
}

function Facts({ found }) {
  const how = found.configured;
  const facts = [
    ["Machine", [found.maker, found.model, found.machine].filter(Boolean).join(" ")],
    ["Spoken to by", [found.protocol, found.firmware && `firmware ${found.firmware}`].filter(Boolean).join(", ")],
    ["Read by", how && (how.reached_by === "centre" ? "the centre, and nobody acts by it" : "a node of its site")],
    ["Set", how && `${how.host ? `${how.type} at ${how.host} as ${how.user}, ` : ""}by ${how.by}`],
    ["Trusted", how && (how.ca ? "by its CA" : how.certificate_sha256.slice(0, 16) || "as it is learned")],
  ].filter(([, text]) => text);
  return html`<dl class="facts">${facts.map(([name, text]) => html`<div key=${name}><dt>${name}</dt><dd>${text}</dd></div>`)}</dl>
    ${how?.told.length > 0 && html`<ul class="told" aria-label="Which nodes know it">${how.told.map((each) => html`<li key=${each.node}
      class=${["done", "ready", "taken"].includes(each.state) ? "" : "tone-down"}>${each.node}: ${each.state}${each.text && `, ${each.text}`}</li>`)}</ul>`}`;
}

function SetDialog({ node, at, now, onDone, onClose }) {
  const fields = [
    { name: "host", label: "Name or address in the board's network", required: true, value: now?.host },
    { name: "user", label: "User, of the role Operator", required: true, value: now?.user },
    { name: "password", label: now?.has_password ? "Password; empty: as it is" : "Password", required: !now?.has_password, isSecret: true },
    { name: "type", label: "Spoken to by", value: now?.type ?? "dynamic", choices: KINDS },
    { name: "reached_by", label: "Read by", value: now?.reached_by ?? "site", choices: READERS },
    { name: "certificate_sha256", label: "SHA-256 of its certificate; empty: as it is learned", value: now?.certificate_sha256 },
    { name: "reason", label: "Reason; the audit log keeps it", required: true },
  ];
  const send = async (values) => {
    const kept = now ? { port: now.port, ipmi_port: now.ipmi_port, cipher: now.cipher, uuid: now.uuid, system: now.system,
      ca: values.certificate_sha256 ? "" : now.ca, interval_s: now.interval_s } : {};
    const { password, ...rest } = values;
    await request(at, { method: "PUT", body: { ...kept, ...rest, ...(password && { password }) } });
    onDone(rest.reached_by === "centre" ? "Set: the centre polls it." : "Set: the nodes of its site are told.");
  };
  const line = (values) => [`roost bmc set ${node} --host ${shellWord(values.host || "HOST")} --user ${shellWord(values.user || "USER")}`,
    values.type !== "dynamic" && `--type ${values.type}`, values.reached_by === "centre" && "--reached-by centre", values.reason && `-m ${shellWord(values.reason)}`].filter(Boolean).join(" ");
  return html`<${AskDialog} title=${`Set the board controller of ${node}`} button="Set" fields=${fields} onSend=${send} onClose=${onClose}
    hint="The password is sealed to whoever reads the board, and nobody can read it here again.">${(values) => html`<${CopyLine}
      text=${line(values)} />`}</${AskDialog}>`;
}
