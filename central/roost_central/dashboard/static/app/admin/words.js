/** Grants in words and as people type them, and what became of a change. */
import { html, useState } from "../html.js";
import { request } from "../api.js";

const ROLES = ["viewer", "operator", "release", "admin"];

/** @param {{role: string, on: string}[]|null} grants */
export function grantText(grants) {
  if (grants === null) return "all of its owner's";
  return grants.map(({ role, on }) => (on ? `${role} on ${on}` : role)).join(", ") || "none";
}

/**
 * Changes to a list: `change` asks for one, says what became of it and has the list read anew; it
 * resolves to whether it was done, and then `onDone` has had the answer.
 */
export function useChange(reload) {
  const [said, setSaid] = useState({ text: "", wrong: false });
  const change = async (text, path, options, onDone = () => {}) => {
    try {
      onDone(await request(path, options));
      setSaid({ text, wrong: false });
    } catch (failure) {
      setSaid({ text: failure.message, wrong: true });
      return false;
    }
    reload();
    return true;
  };
  return { said, change };
}

/** What became of the last change, told to a screen reader too. */
export function Said({ said }) {
  return html`<p class=${said.wrong ? "error" : "said"} role="status">${said.text}</p>`;
}

/** Roles with the query of the sites they hold for, one line each. */
export function GrantFields({ grants, onGrants }) {
  const set = (index, change) => onGrants(grants.map((g, i) => (i === index ? { ...g, ...change } : g)));
  return html`<fieldset class="grants"><legend>Grants</legend>
    ${grants.map((grant, index) => html`<div key=${index} class="grant">
      <label>Role <select value=${grant.role} onChange=${(e) => set(index, { role: e.currentTarget.value })}>
        ${ROLES.map((role) => html`<option key=${role} value=${role}>${role}</option>`)}</select></label>
      <label>on sites <input value=${grant.on} placeholder="region:r0*; empty: all" spellcheck=${false}
        onInput=${(e) => set(index, { on: e.currentTarget.value })} /></label>
      <button type="button" aria-label=${`Remove grant ${index + 1}`}
        onClick=${() => onGrants(grants.filter((_, i) => i !== index))}>Remove</button></div>`)}
    <button type="button" onClick=${() => onGrants([...grants, { role: "viewer", on: "" }])}>Add a grant</button>
  </fieldset>`;
}
