/** Who may do what: oneself, users, tokens and roles. What one may not use is shown with the reason. */
import { html, useState } from "../html.js";
import { request } from "../api.js";
import { useFetched } from "../fetched.js";
import { CopyLine } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { Tokens } from "./tokens.js";
import { Users } from "./users.js";
import { grantText, Said } from "./words.js";

export function AdminPage() {
  const me = useFetched("/me");
  const roles = useFetched("/roles");
  if (!me.value) {
    return html`<main id="main" class="page"><h1>Admin</h1>${me.error ? html`<${Problem} error=${me.error} />`
      : html`<p class="empty">Reading…</p>`}</main>`;
  }
  const isAdmin = me.value.permissions.includes("admin");
  return html`<main id="main" class="page admin"><h1>Admin</h1>
    <${Me} me=${me.value} />
    <section><h2>Users</h2>${isAdmin ? html`<${Users} me=${me.value} />` : html`<p class="empty">Users are an
      admin's to see and change; your grants are: ${grantText(me.value.grants)}.</p>`}</section>
    <section><h2>Tokens <small>secrets for programs, each with an end</small></h2>
      <${Tokens} me=${me.value} isAdmin=${me.value.everywhere.includes("admin")} /></section>
    <section><h2>Roles</h2><${Roles} rows=${roles.value?.items ?? []} /></section>
    <${CopyLine} text="roost user list" /></main>`;
}

/** Who one is, what one may, and one's password. */
function Me({ me }) {
  const [said, setSaid] = useState({ text: "", wrong: false });
  const change = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    const { current, password, again } = form.elements;
    if (password.value !== again.value) {
      setSaid({ text: "The two new passwords differ.", wrong: true });
      return;
    }
    try {
      const body = { password: password.value, current: current.value };
      await request(`/users/${encodeURIComponent(me.name)}/password`, { method: "PUT", body });
      setSaid({ text: "Changed. Logins by the old password are over.", wrong: false });
    } catch (error) {
      setSaid({ text: error.message, wrong: true });
    }
    form.reset();
  };
  return html`<section><h2>You</h2>
    <dl class="facts"><div><dt>Name</dt><dd>${me.name}</dd></div><div><dt>Logged in by</dt><dd>${me.via}</dd></div>
      <div><dt>Grants</dt><dd>${grantText(me.grants)}</dd></div></dl>
    <details><summary>Change your password</summary><form class="fields" onSubmit=${change}>
      <label>Present password, if there is one <input name="current" type="password" autocomplete="current-password" /></label>
      <label>New password, 12 characters at least <input name="password" type="password" required minlength="12"
        maxlength="128" autocomplete="new-password" /></label>
      <label>The new one again <input name="again" type="password" required autocomplete="new-password" /></label>
      <button type="submit" class="primary">Change</button></form></details>
    <${Said} said=${said} /></section>`;
}

function Roles({ rows }) {
  return html`<div class="scroll"><table class="plain roles"><thead><tr><th>Role</th><th>May</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.role}><th scope="row">${row.role}</th>
      <td>${row.permissions.map((each) => MAY[each] ?? each).join("; ")}</td></tr>`)}</tbody></table></div>`;
}

const MAY = {
  read: "see the fleet, its alarms and inventory",
  alarm: "acknowledge, shelve and annotate alarms",
  host: "let nodes in and act on them",
  release: "upload releases and roll them out",
  admin: "manage users, tokens and sites, and read the audit log",
};
