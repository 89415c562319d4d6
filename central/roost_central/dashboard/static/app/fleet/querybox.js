/** The query box: what is typed is asked at once; an error shows its place and what was meant. */
import { html, useEffect, useRef, useState } from "../html.js";
import { setParams } from "../router.js";

const SETTLE_MS = 300; // the address follows when the typing rests

export function QueryBox({ value, onText, error, summary, placeholder }) {
  const [text, setText] = useState(value);
  const input = useRef(null);
  const timer = useRef(0);
  useEffect(() => {
    if (value !== input.current.value) setText(value);
    onText(value);
  }, [value]);
  const change = (next) => {
    setText(next);
    onText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setParams({ q: next.trim() }), SETTLE_MS);
  };
  const onKey = (event) => {
    if (event.key !== "Escape") return;
    if (text) {
      change("");
      event.stopPropagation();
    } else input.current.blur();
  };
  return html`<form class="query" role="search" onSubmit=${(event) => {
    event.preventDefault();
    clearTimeout(timer.current);
    setParams({ q: text.trim() }, { replace: false });
  }}>
    <label class="query-box"><span class="hidden">Filter</span>
      <input ref=${input} id="query" type="text" spellcheck=${false} autocomplete="off"
        autocapitalize="off" value=${text} placeholder=${placeholder} aria-describedby="query-said"
        aria-invalid=${Boolean(error)} onInput=${(event) => change(event.target.value)}
        onKeyDown=${onKey} />
      ${text ? html`<button type="button" class="clear" title="clear (Esc)" aria-label="clear the filter"
        onClick=${() => { change(""); input.current.focus(); }}>×</button>` : html`<kbd>/</kbd>`}
    </label>
    <div id="query-said" class="query-said" aria-live="polite">
      ${error ? html`<${Complaint} text=${text} error=${error} onUse=${(next) => {
    change(next);
    input.current.focus();
  }} />` : summary}</div>
  </form>`;
}

/** The query with the part to blame marked. Offsets count code points, not UTF-16 units. */
function Complaint({ text, error, onUse }) {
  const points = Array.from(text);
  const offset = Math.min(error.offset ?? 0, points.length);
  const length = error.length ?? 0;
  const part = (from, to) => points.slice(from, to).join("");
  const { suggestion } = error;
  const replaced = suggestion && part(0, offset) + suggestion + part(offset + length);
  return html`<div class="complaint" role="alert">
    ${error.offset !== undefined && html`<code>${part(0, offset)}
      <mark>${part(offset, offset + length) || " "}</mark>${part(offset + length)}</code>`}
    <span>${error.message}</span>
    ${replaced && html`<button type="button" onClick=${() => onUse(replaced)}>use “${suggestion}”</button>`}
  </div>`;
}
