/** The keys, and the switch that turns the single ones off. */
import { html, useEffect, useRef } from "../html.js";
import { prefs, setPrefs } from "../prefs.js";
import { useStore } from "../store.js";

const KEYS = [
  ["/", "filter"], ["?", "these keys"], ["n", "show the new order"], ["p", "pause or go on"],
  ["Ctrl K", "go to a page, view, site, node or alarm type"], ["v", "saved views"], ["g f", "fleet"], ["g a", "alarms"], ["g i", "incidents"], ["g e", "events"], ["t", "theme"], ["c", "clock: UTC or browser"],
  ["← ↑ ↓ →", "move in grid and table"], ["Enter", "open the site or alarm"], ["Esc", "clear, close"],
  ["Space", "select the alarm"], ["a", "acknowledge it"], ["u", "take the ack back"],
  ["s", "shelve it"], ["o", "note on it"],
];
const QUERIES = [
  ["region:r0* status>=degraded", "glob, and rank: ok < maintenance < degraded < unknown < down"],
  ["!carrier:*", "no carrier is known"], ["age>10m", "not heard for ten minutes"],
  ["sev>=major op=none", "on alarms: serious ones that nobody has acknowledged"],
  ["(status=down OR status=unknown) tier=gold", "words, brackets, any label with label.K"],
];

export function HelpDialog({ open, onClose }) {
  const dialog = useRef(null);
  const { singleKeys } = useStore(prefs);
  useEffect(() => {
    if (open) dialog.current.showModal();
    else dialog.current.close();
  }, [open]);
  return html`<dialog ref=${dialog} class="help" aria-labelledby="help-title" onClose=${onClose}
      onClick=${(event) => event.target === dialog.current && onClose()}>
    <div class="help-body"><h2 id="help-title">Keys</h2>
      <dl class="keys">${KEYS.map(([keys, what]) => html`<div>
        <dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd>`)}</dt>
        <dd>${what}</dd></div>`)}</dl>
      <label class="check"><input type="checkbox" checked=${singleKeys}
        onChange=${(event) => setPrefs({ singleKeys: event.target.checked })} />
        single keys act without a modifier</label>
      <h2>Filter</h2>
      <dl class="queries">${QUERIES.map(([query, what]) => html`<dt><code>${query}</code></dt>
        <dd>${what}</dd>`)}</dl>
      <button type="button" onClick=${onClose}>Close</button></div>
  </dialog>`;
}
