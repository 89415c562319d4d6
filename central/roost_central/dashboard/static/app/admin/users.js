/** Users: who may log in and what each may; to add, change, disable and remove one. */
import { html, useState } from "../html.js";
import { useFetched } from "../fetched.js";
import { Problem } from "../shell/failure.js";
import { Age } from "../time.js";
import { GrantFields, grantText, Said, useChange } from "./words.js";

const at = (name) => `/users/${encodeURIComponent(name)}`;

export function Users({ me }) {
  const { value, error, reload } = useFetched("/users");
  const { said, change } = useChange(reload);
  const [edited, setEdited] = useState(null);
  const act = (text, path, options) => change(text, path, options, () => setEdited(null));
  if (!value) return error ? html`<${Problem} error=${error} />` : html`<p class="empty">Reading…</p>`;
  const put = (row, fields, text) => act(text, at(row.name),
    { method: "PUT", body: { grants: row.grants, disabled: row.disabled, ...fields } });
  return html`<${Said} said=${said} />
    <div class="scroll"><table class="plain users stack"><thead><tr><th>Name</th><th>Grants</th><th>State</th>
      <th>Logs in by</th><th>Last login</th><th><span class="hidden">Do</span></th></tr></thead>
    <tbody>${value.items.map((row) => html`<tr key=${row.name}><th scope="row">${row.name}</th>
      <td data-title="Grants">${grantText(row.grants)}</td>
      <td data-title="State">${row.disabled ? "disabled" : "enabled"}</td>
      <td data-title="Logs in by">${ways(row)}</td>
      <td data-title="Last login">${row.login ? html`<${Age} at=${row.login} suffix=" ago" />` : "never"}</td>
      <td><div class="do"><button type="button" aria-label=${`Change the grants of ${row.name}`}
          onClick=${() => setEdited({ name: row.name, grants: row.grants })}>Grants…</button>
        <button type="button" disabled=${row.name === me.name} title=${row.name === me.name ? "not oneself" : ""}
          aria-label=${`${row.disabled ? "Enable" : "Disable"} ${row.name}`} onClick=${() => put(row,
          { disabled: !row.disabled }, `${row.name} is ${row.disabled ? "enabled" : "disabled"}.`)}>
          ${row.disabled ? "Enable" : "Disable"}</button>
        <button type="button" disabled=${row.name === me.name} title=${row.name === me.name ? "not oneself" : ""}
          aria-label=${`Remove ${row.name}`} onClick=${() => confirm(`Remove ${row.name} with all tokens?`)
          && act(`${row.name} is removed.`, at(row.name), { method: "DELETE" })}>Remove</button></div></td></tr>`)}
    </tbody></table></div>
    ${edited && html`<form class="fields" aria-label=${`Grants of ${edited.name}`} onSubmit=${(event) => {
      event.preventDefault();
      const row = value.items.find((each) => each.name === edited.name);
      put(row, { grants: edited.grants }, `${row.name}: ${grantText(edited.grants)}.`);
    }}><h3>${edited.name}</h3>
      <${GrantFields} grants=${edited.grants} onGrants=${(grants) => setEdited({ ...edited, grants })} />
      <div class="toolbar"><button type="submit" class="primary">Save</button>
        <button type="button" onClick=${() => setEdited(null)}>Cancel</button></div></form>`}
    <${NewUser} onAdd=${(body) => act(`${body.name} is added.`, "/users", { method: "POST", body })} />`;
}

function ways(row) {
  return [row.password && "password", row.issuer].filter(Boolean).join(", ") || "token only";
}

function NewUser({ onAdd }) {
  const [grants, setGrants] = useState([{ role: "viewer", on: "" }]);
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const { name, password } = form.elements;
    const body = { name: name.value.trim(), grants, ...(password.value ? { password: password.value } : {}) };
    if (await onAdd(body)) {
      form.reset();
      setGrants([{ role: "viewer", on: "" }]);
    }
  };
  return html`<details class="new-user"><summary>Add a user</summary><form class="fields" onSubmit=${submit}>
    <label>Name <input name="name" required pattern="[a-z0-9][a-z0-9._@\\-]{0,63}" autocomplete="off"
      title="small letters, digits and . _ @ -" /></label>
    <label>Password, 12 characters at least; empty: none <input name="password" type="password" minlength="12"
      maxlength="128" autocomplete="new-password" /></label>
    <${GrantFields} grants=${grants} onGrants=${setGrants} />
    <button type="submit" class="primary">Add</button></form></details>`;
}
