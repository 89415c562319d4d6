/** A dialog with a few fields and one button: what every act of an operator needs. */
import { html, useEffect, useRef, useState } from "../html.js";

const REASON_CHARS_MAX = 255;
const SUGGESTED_MAX = 20;

/**
 * @typedef {{name: string, label: string, required?: boolean, choices?: string[][],
 *   value?: string, known?: string[], isSecret?: boolean}} Field `known`: of these some are suggested
 *   while it is typed; `isSecret`: nobody looks over a shoulder, and no browser keeps it
 */

/**
 * @param {{title: any, hint?: any, button: string, fields: Field[], isIdle?: boolean,
 *   onSend: (values: Record<string, string>) => Promise<void>, onClose: () => void,
 *   children?: (values: Record<string, string>) => any}} given
 *   `onSend` throws what is shown; `children` draws what depends on the values
 */
export function AskDialog({ title, hint, button, fields, isIdle = false, onSend, onClose, children }) {
  const dialog = useRef(null);
  const [values, setValues] = useState(Object.fromEntries(fields.map((f) => [f.name, f.value ?? ""])));
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    dialog.current.showModal();
    dialog.current.querySelector("input, select, button.primary").focus();
  }, []);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await onSend(values);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return html`<dialog ref=${dialog} class="help act" aria-labelledby="ask-title" onClose=${onClose}>
    <form class="help-body" onSubmit=${submit}>
      <h2 id="ask-title">${title}</h2>
      ${hint && html`<p class="quiet">${hint}</p>`}
      ${fields.map((field) => html`<${Input} key=${field.name} field=${field} value=${values[field.name]}
        onChange=${(value) => setValues({ ...values, [field.name]: value })} />`)}
      ${error && html`<p class="problem" role="alert">${error.message}</p>`}
      ${children?.(values)}
      <div class="buttons"><button type="button" onClick=${() => dialog.current.close()}>Cancel</button>
        <button type="submit" class="primary" disabled=${busy || isIdle}>${button}</button></div>
    </form></dialog>`;
}

function Input({ field, value, onChange }) {
  if (field.choices) {
    return html`<label class="field"><span>${field.label}</span><select value=${value} name=${field.name}
      onChange=${(event) => onChange(event.target.value)}>${field.choices.map(([key, title]) => html`<option
      key=${key} value=${key} selected=${key === value}>${title}</option>`)}</select></label>`;
  }
  return html`<label class="field"><span>${field.label}</span><input name=${field.name}
    type=${field.isSecret ? "password" : "text"} autocomplete=${field.isSecret ? "new-password" : "off"}
    value=${value} required=${field.required} maxlength=${REASON_CHARS_MAX}
    list=${field.known && `known-${field.name}`} onInput=${(event) => onChange(event.target.value)} />
    ${field.known && html`<datalist id=${`known-${field.name}`}>${suggested(field.known, value).map((word) => html`<option
      key=${word} value=${word} />`)}</datalist>`}</label>`;
}

/** @param {string[]} known @param {string} typed @returns {string[]} the first that hold what was typed */
function suggested(known, typed) {
  const found = [];
  for (const word of known) {
    if (word.includes(typed)) found.push(word);
    if (found.length === SUGGESTED_MAX) break;
  }
  return found;
}
