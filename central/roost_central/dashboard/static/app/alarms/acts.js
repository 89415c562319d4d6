/** What an operator can do with alarms: one dialog each, over the whole result, with its count. */
import { html, useState } from "../html.js";
import { countNow, request } from "../api.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine, shellWord } from "../shell/copy.js";

export const HOURS = [["1800", "30 minutes"], ["3600", "1 hour"], ["7200", "2 hours"], ["14400", "4 hours"],
  ["28800", "8 hours"], ["86400", "24 hours"], ["604800", "7 days"]];
const SHOWN_MAX = 5; // refusals named one by one

/**
 * @typedef {{name: string, label: string, required?: boolean, choices?: string[][], value?: string,
 *   option: string}} Field
 * @typedef {{title: string, done: string, fields: Field[], hint?: string}} Act
 * @typedef {{filter: string, count: number}|{ids: string[]}} Target
 */

const NOTE = { name: "note", label: "Note (may be left out)", option: "-m" };
const REASON = { name: "reason", label: "Reason", required: true, option: "-m" };

/** @type {Record<string, Act>} */
export const ACTS = {
  ack: { title: "Acknowledge", done: "acknowledged", fields: [NOTE] },
  unack: { title: "Take the acknowledgement back", done: "open again", fields: [] },
  note: { title: "Note", done: "noted", fields: [{ name: "text", label: "Note", required: true, option: "-m" }] },
  assign: {
    title: "Assign", done: "assigned", hint: "What is left empty stays as it is; a single - takes it away.",
    fields: [{ name: "assignee", label: "Owner", option: "--to" },
      { name: "ticket", label: "Ticket", option: "--ticket" }],
  },
  shelve: {
    title: "Shelve", done: "shelved",
    hint: "Out of the list until then; it comes back by itself. With a filter, later matches are shelved too.",
    fields: [{ name: "for_s", label: "For", choices: HOURS, value: "7200", option: "--for" }, REASON],
  },
  unshelve: { title: "Take off the shelf", done: "back in the list", fields: [] },
  clear: {
    title: "Clear by hand", done: "cleared", fields: [REASON],
    hint: "If the condition still stands, its node raises it again within two beats.",
  },
};

/** @param {string} verb @param {Target} target @param {Record<string, string>} values */
export function actBody(verb, target, values) {
  const fields = Object.fromEntries(ACTS[verb].fields.flatMap(({ name, choices }) => {
    const value = (values[name] ?? "").trim();
    if (choices) return [[name, Number(value)]];
    if (verb === "assign" && value === "-") return [[name, null]];
    return value ? [[name, value]] : [];
  }));
  const which = "ids" in target ? { ids: target.ids }
    : { filter: target.filter, expect_count: target.count };
  return { ...which, ...fields };
}

/** @returns {string} the command that does the same */
export function actLine(verb, target, values) {
  const which = "ids" in target ? target.ids.map(shellWord).join(" ")
    : `-q ${shellWord(target.filter)} --expect ${target.count}`;
  const said = ACTS[verb].fields.filter(({ name }) => values[name]).map(({ name, option }) => (
    `${option} ${written(verb, name, values[name])}`));
  return ["roost alarm", verb, which, ...said].join(" ");
}

function written(verb, name, value) {
  if (name === "for_s") return `${value}s`;
  return verb === "assign" && value === "-" ? "''" : shellWord(value);
}

/** @returns {string} what came of it, in a sentence */
export function outcome(verb, answer) {
  const results = answer.results ?? [];
  const refused = results.filter((row) => row.outcome === "refused");
  const same = results.filter((row) => row.outcome === "unchanged").length;
  const parts = [`${answer.changed} ${ACTS[verb].done}`];
  if (same > 0) parts.push(`${same} unchanged`);
  if (refused.length) parts.push(`${refused.length} refused: ${[...new Set(refused.map((row) => row.why))]
    .slice(0, SHOWN_MAX).join("; ")}`);
  return parts.join(", ");
}

/** @param {{verb: string, target: Target, onDone: (said: string) => void, onClose: () => void}} given */
export function ActDialog({ verb, target: asked, onDone, onClose }) {
  const act = ACTS[verb];
  const [target, setTarget] = useState(asked);
  const isByFilter = "filter" in target;
  const count = isByFilter ? target.count : target.ids.length;
  const counted = count.toLocaleString("en");
  const send = async (values) => {
    try {
      onDone(outcome(verb, await request(`/alarms:${verb}`, { method: "POST", body: actBody(verb, target, values) })));
    } catch (failure) {
      const now = countNow(failure);
      if (now === null) throw failure;
      setTarget({ ...target, count: now });
      throw new Error(`Something changed meanwhile: ${now.toLocaleString("en")} match now. Nothing was done yet.`);
    }
  };
  return html`<${AskDialog} title=${`${act.title}: ${counted} alarm${count === 1 ? "" : "s"}`} hint=${act.hint}
      button=${isByFilter ? `${act.title} ${counted}` : act.title} fields=${act.fields} isIdle=${count === 0}
      onSend=${send} onClose=${onClose}>
    ${(values) => html`${isByFilter && html`<p class="quiet">All that match <code>${target.filter}</code>,
        also those that are not on the page.</p>`}
      <${CopyLine} text=${actLine(verb, target, values)} />`}</${AskDialog}>`;
}
