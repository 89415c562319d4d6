/** The views that one keeps: open one, give its link away, replace it by what is shown, remove it. */
import { html, useEffect, useRef, useState } from "../html.js";
import { request } from "../api.js";
import { useFetched } from "../fetched.js";
import { CopyLine } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { linkOf, viewAddress, viewOf } from "./address.js";

const NAME_CHARS_MAX = 64;

export function ViewsDialog({ route, onClose }) {
  const dialog = useRef(null);
  const [turn, setTurn] = useState(0);
  const [name, setName] = useState("");
  const [said, setSaid] = useState("");
  const [failure, setFailure] = useState(null);
  const { value, error } = useFetched("/views", turn);
  const here = viewOf(route);
  useEffect(() => dialog.current.showModal(), []);
  const act = async (path, options, sentence) => {
    setFailure(null);
    setSaid("");
    try {
      await request(path, options);
      setSaid(sentence);
      setTurn((n) => n + 1);
      return true;
    } catch (problem) {
      setFailure(problem);
      return false;
    }
  };
  const save = async (event) => {
    event.preventDefault();
    if (await act("/views", { method: "POST", body: { name, ...here } }, `“${name}” is kept.`)) setName("");
  };
  const one = ({ id }) => `/views/${encodeURIComponent(id)}`;
  return html`<dialog ref=${dialog} class="help views" aria-labelledby="views-title" onClose=${onClose}
      onClick=${(event) => event.target === dialog.current && dialog.current.close()}>
    <div class="help-body"><h2 id="views-title">Saved views</h2>
      ${here ? html`<form class="field-row" onSubmit=${save}><label class="field"><span>Keep what is shown now as</span>
          <input type="text" name="name" value=${name} required maxlength=${NAME_CHARS_MAX} autocomplete="off"
            onInput=${(event) => setName(event.target.value)} /></label>
        <button type="submit" class="primary" disabled=${!name.trim()}>Save</button></form>`
    : html`<p class="quiet">This page has no view to keep: the fleet, alarms, incidents, events, inventory, hosts and drift have.</p>`}
      <${Problem} error=${failure ?? error} />
      <p class="said" role="status">${said}</p>
      ${value && html`<${Kept} items=${value.items} here=${here} onOpen=${() => dialog.current.close()}
        onReplace=${(view) => act(one(view), { method: "PUT", body: { name: view.name, ...here } },
    `“${view.name}” shows this now; its link stays.`)}
        onRemove=${(view) => act(one(view), { method: "DELETE" }, `“${view.name}” is removed.`)} />`}
      <div class="buttons"><button type="button" onClick=${() => dialog.current.close()}>Close</button></div></div>
  </dialog>`;
}

function Kept({ items, here, onOpen, onReplace, onRemove }) {
  if (!items.length) return html`<p class="quiet">You keep none yet. A view has a link that others can open.</p>`;
  return html`<ul class="kept-views">${items.map((view) => {
    const isHere = here?.page === view.page && here.query === view.query;
    return html`<li key=${view.id}><div class="kept-view"><span class="kept-name"><a href=${viewAddress(view)} onClick=${onOpen}
        aria-current=${isHere ? "true" : undefined}>${view.name}</a> <small>${view.page}</small></span>
      <span class="buttons"><button type="button" disabled=${!here || isHere} onClick=${() => onReplace(view)}
        aria-label=${`replace ${view.name} by what is shown now`}>Replace</button>
      <button type="button" onClick=${() => onRemove(view)} aria-label=${`remove ${view.name}`}>Remove</button></span></div>
      <${CopyLine} text=${linkOf(view)} label=${`the link of ${view.name}`} /></li>`;
  })}</ul>`;
}
