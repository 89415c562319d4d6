/** What an operator can do with sites, one or all that match: labels, and whether they are managed. */
import { html, useState } from "../html.js";
import { countNow, request } from "../api.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine, shellWord } from "../shell/copy.js";

const WHATS = [["set", "Set labels"], ["remove", "Remove labels"], ["unmanage", "Leave alone"], ["manage", "Manage again"]];
const HINTS = {
  set: "KEY=VALUE, several with spaces between. Other labels stay.",
  remove: "Keys, several with spaces between.",
  unmanage: "No orders, no settings, no alarm of its silence; it is still heard.",
  manage: "Orders, settings and alarms of silence again.",
};

/** @typedef {{filter: string, count: number}|{names: string[]}} Target */

/** @param {{what: string, words: string}} values @returns {{path: string, body: any}} */
function asked(values, target) {
  const which = "names" in target ? { names: target.names } : { filter: target.filter, expect_count: target.count };
  const words = values.words.trim();
  const path = values.what === "set" || values.what === "remove" ? "/sites:label" : "/sites:manage";
  const split = words.split(/\s+/).filter(Boolean);
  const body = {
    set: () => ({ set: Object.fromEntries(split.map(pair)) }),
    remove: () => ({ remove: split }),
    manage: () => ({ managed: true, reason: words }),
    unmanage: () => ({ managed: false, reason: words }),
  }[values.what]();
  return { path, body: { ...which, ...body } };
}

function pair(word) {
  const at = word.indexOf("=");
  if (at < 1 || at === word.length - 1) throw new Error(`${word}: say KEY=VALUE`);
  return [word.slice(0, at), word.slice(at + 1)];
}

/** @returns {string} the command that does the same */
function line(values, target) {
  const words = values.words.trim();
  const isLabel = values.what === "set" || values.what === "remove";
  const which = "names" in target ? target.names.map((name) => (isLabel ? `--site ${shellWord(name)}` : shellWord(name))).join(" ")
    : `-q ${shellWord(target.filter)} --expect ${target.count}`;
  const said = words.split(/\s+/).filter(Boolean).map(shellWord).join(" ");
  return isLabel ? `roost label ${values.what} ${said} ${which}` : `roost site ${values.what} ${which} -m ${shellWord(words)}`;
}

/** @param {{target: Target, whats?: string[], onDone: (said: string) => void, onClose: () => void}} given */
export function SiteActDialog({ target: first, whats, onDone, onClose }) {
  const [target, setTarget] = useState(first);
  const count = "names" in target ? target.names.length : target.count;
  const counted = `${count.toLocaleString("en")} site${count === 1 ? "" : "s"}`;
  const choices = WHATS.filter(([key]) => !whats || whats.includes(key));
  const send = async (values) => {
    const { path, body } = asked(values, target);
    try {
      const { changed, matched } = await request(path, { method: "POST", body });
      onDone(`${changed.toLocaleString("en")} of ${matched.toLocaleString("en")} changed`);
    } catch (failure) {
      const now = countNow(failure);
      if (now === null) throw failure;
      setTarget({ ...target, count: now });
      throw new Error(`${now.toLocaleString("en")} that you may change match now. Nothing was done yet.`);
    }
  };
  return html`<${AskDialog} title=${`Change ${"names" in target && count === 1 ? target.names[0] : counted}`} button=${`Change ${counted}`}
      isIdle=${count === 0} onSend=${send} onClose=${onClose}
      fields=${[{ name: "what", label: "What", choices, value: choices[0][0] },
    { name: "words", label: "Labels, or the reason", required: true }]}>
    ${(values) => html`<p class="quiet">${HINTS[values.what]}</p>
      ${"filter" in target && html`<p class="quiet">All that match <code>${target.filter || "everything"}</code>, also those
        that are not on the page.</p>`}
      <${CopyLine} text=${line(values, target)} />`}</${AskDialog}>`;
}
