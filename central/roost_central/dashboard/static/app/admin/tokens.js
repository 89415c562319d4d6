/** Tokens: one's own, for an admin all; a new one is shown once. */
import { html, useState } from "../html.js";
import { useFetched } from "../fetched.js";
import { Problem } from "../shell/failure.js";
import { Age, timeText } from "../time.js";
import { GrantFields, grantText, Said, useChange } from "./words.js";

const DAY_S = 86_400;

export function Tokens({ me, isAdmin }) {
  const [all, setAll] = useState(false);
  const { value, error, reload } = useFetched(`/tokens${all ? "?of=all" : ""}`);
  const { said, change } = useChange(reload);
  const [made, setMade] = useState(null);
  const revoke = async (name) => {
    if (!confirm(`Revoke ${name}? What uses it is refused from then on.`)) return;
    const path = `/tokens/${encodeURIComponent(name)}`;
    const isDone = await change(`${name} is revoked.`, path, { method: "DELETE" });
    if (!isDone) reload(); // who else revokes may have been first
  };
  const make = (body) => change(`${body.name} is made.`, "/tokens", { method: "POST", body }, setMade);
  if (!value) return error ? html`<${Problem} error=${error} />` : html`<p class="empty">Reading…</p>`;
  return html`<${Said} said=${said} />
    ${made && html`<div class="made"><p>Copy it now: it is never shown again.</p>
      <p><code class="secret">${made.token}</code></p>
      <button type="button" onClick=${() => setMade(null)}>I have it</button></div>`}
    <label class="all-tokens"><input type="checkbox" checked=${all} disabled=${!isAdmin}
      onChange=${(e) => setAll(e.currentTarget.checked)} /> of everybody
      ${!isAdmin && html`<small>needs admin over the whole fleet</small>`}</label>
    <div class="scroll"><table class="plain tokens stack"><thead><tr><th>Name</th><th>Owner</th><th>Grants</th>
      <th>Expires</th><th>Last used</th><th><span class="hidden">Do</span></th></tr></thead>
    <tbody>${value.items.map((row) => html`<tr key=${row.name}><th scope="row">${row.name}</th>
      <td data-title="Owner">${row.owner}</td><td data-title="Grants">${grantText(row.grants)}</td>
      <td data-title="Expires">${row.expires ? timeText(Date.parse(row.expires), "utc") : "never"}</td>
      <td data-title="Last used">${row.used ? html`<${Age} at=${row.used} suffix=" ago" />` : "not yet"}</td>
      <td><button type="button" aria-label=${`Revoke ${row.name}`} onClick=${() => revoke(row.name)}>Revoke</button></td>
    </tr>`)}</tbody></table></div>
    <${NewToken} me=${me} onMake=${make} />`;
}

function NewToken({ me, onMake }) {
  const [grants, setGrants] = useState([]);
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const { name, days } = form.elements;
    const body = { name: name.value.trim(), for_s: Number(days.value) * DAY_S };
    if (await onMake(grants.length ? { ...body, grants } : body)) {
      form.reset();
      setGrants([]);
    }
  };
  return html`<details class="new-token"><summary>Make a token</summary><form class="fields" onSubmit=${submit}>
    <label>Name <input name="name" required pattern="[a-z0-9][a-z0-9._@\\-]{0,63}" autocomplete="off"
      title="small letters, digits and . _ @ -" /></label>
    <label>Days until it ends, 365 at most <input name="days" type="number" min="1" max="365" value="90" required /></label>
    <p class="hint">Without a grant of its own it may all that ${me.name} may.</p>
    <${GrantFields} grants=${grants} onGrants=${setGrants} />
    <button type="submit" class="primary">Make</button></form></details>`;
}
