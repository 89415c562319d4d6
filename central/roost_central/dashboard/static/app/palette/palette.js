/**
 * Go to a page, view, site, node or alarm type by a few letters of its name (Ctrl-K).
 *
 * A combobox with a list (ARIA APG): the focus stays in the field, arrows choose, Enter goes.
 */
import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { queryString, request } from "../api.js";
import { useFetched } from "../fetched.js";
import { navigate } from "../router.js";
import { EACH_MAX, groupsFor } from "./find.js";

const SETTLE_MS = 150; // the server is asked for nodes when the typing rests
const ASKED_CHARS_MIN = 2;
const TEXT_CHARS_MAX = 100;
const GLOB = /[^\w.-]/g; // what has a meaning in a filter stands for any one character

export function Palette({ model, pages, onClose }) {
  const dialog = useRef(null);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const views = useFetched("/views").value?.items ?? NONE;
  const types = useFetched("/alarm-types").value?.items ?? NONE;
  const [nodes, isAsking] = useNodes(text);
  const groups = useMemo(() => groupsFor(text, { pages, sites: model.column("site"), views, types, nodes }),
    [text, views, types, nodes, model.generation]);
  const choices = groups.flatMap((group) => group.choices);
  const chosen = choices[Math.min(at, choices.length - 1)];
  useEffect(() => dialog.current.showModal(), []);
  useEffect(() => document.getElementById(chosen?.id ?? "")?.scrollIntoView({ block: "nearest" }), [chosen]);
  const go = ({ href }) => {
    dialog.current.close();
    navigate(href);
  };
  const onKey = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && choices.length) {
      event.preventDefault();
      setAt((Math.min(at, choices.length - 1) + step + choices.length) % choices.length);
    } else if (event.key === "Enter" && chosen) {
      event.preventDefault();
      go(chosen);
    }
  };
  return html`<dialog ref=${dialog} class="help palette" aria-label="Go to" onClose=${onClose}
      onClick=${(event) => event.target === dialog.current && dialog.current.close()}>
    <input type="text" role="combobox" aria-label="Page, view, site, node or alarm type" aria-expanded="true"
      aria-controls="palette-list" aria-activedescendant=${chosen?.id} aria-autocomplete="list"
      autocomplete="off" autocapitalize="off" spellcheck=${false} maxlength=${TEXT_CHARS_MAX} value=${text}
      placeholder="Page, view, site, node or alarm type" onKeyDown=${onKey}
      onInput=${(event) => { setText(event.target.value); setAt(0); }} />
    <div id="palette-list" role="listbox" aria-label="Where to">${groups.map((group) => html`<div role="group"
      key=${group.title} aria-label=${group.title}><h3 aria-hidden="true">${group.title}</h3>
      ${group.choices.map((one) => html`<div key=${one.id} id=${one.id} role="option" class="choice-row"
        aria-selected=${one === chosen} onClick=${() => go(one)}><span>${one.title}</span>
        ${one.detail && html`<small>${one.detail}</small>`}</div>`)}</div>`)}</div>
    <p class="palette-said" role="status">${choices.length ? `${choices.length} found` : isAsking ? "Looking…"
    : "Nothing has this name."}</p>
    <p class="palette-keys" aria-hidden="true"><kbd>↑</kbd><kbd>↓</kbd> choose <kbd>Enter</kbd> go <kbd>Esc</kbd> close</p>
  </dialog>`;
}

const NONE = [];

/**
 * Nodes are not in the fleet's snapshot: the server finds them.
 * @param {string} text
 * @returns {[any[], boolean]} those of the last answer that still fit, and whether another comes
 */
function useNodes(text) {
  const [{ of, nodes }, setFound] = useState({ of: "", nodes: NONE });
  const word = text.trim();
  const isAsked = word.length >= ASKED_CHARS_MIN;
  useEffect(() => {
    if (!isAsked) return undefined;
    const stop = new AbortController();
    const filter = `node:"*${word.replaceAll(GLOB, "?")}*"`;
    const timer = setTimeout(() => request(`/nodes${queryString({ filter, limit: EACH_MAX })}`, { signal: stop.signal })
      .then(({ items }) => setFound({ of: word, nodes: items }),
        () => stop.signal.aborted || setFound({ of: word, nodes: NONE })), SETTLE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [word]);
  const fitting = useMemo(() => {
    const pattern = new RegExp(word.replaceAll(GLOB, "."), "i"); // of \w . - alone: nothing to run away
    return isAsked ? nodes.filter(({ node }) => pattern.test(node)) : NONE;
  }, [word, nodes]);
  return [fitting, isAsked && of !== word];
}
