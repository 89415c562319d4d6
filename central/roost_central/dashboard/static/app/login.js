/** Login: by a token, a name and a password, or the OpenID provider; the page keeps no secret. */
import { html, useEffect, useRef, useState } from "./html.js";
import { request } from "./api.js";
import { prefs, setPrefs } from "./prefs.js";
import { Mark } from "./shell/mark.js";
import { Provider } from "./login_provider.js";

export function LoginPage({ route, onDone }) {
  const [state, setState] = useState({ busy: false, error: "" });
  const [by, setBy] = useState(prefs.get().loginBy);
  const form = useRef(null);
  useEffect(() => form.current.elements[0].focus(), [by]);
  const submit = async (event) => {
    event.preventDefault();
    const { token, user, password } = form.current.elements;
    const body = by === "token" ? { token: token.value.trim() }
      : { user: user.value.trim(), password: password.value };
    if (!Object.values(body).every(Boolean)) return;
    setState({ busy: true, error: "" });
    try {
      await request("/session", { method: "POST", body });
      if (prefs.get().loginBy !== by) setPrefs({ loginBy: by });
      form.current.reset();
      onDone(nextPage(route.params.get("next")));
    } catch (error) {
      const wrong = error.status === 401 || error.status === 400 || error.status === 422;
      setState({ busy: false, error: wrong ? WRONG[by] : error.message });
      form.current.elements[0].select();
    }
  };
  const Fields = by === "token" ? Token : Password;
  return html`<main class="login" id="main"><form ref=${form} onSubmit=${submit}>
    <h1><${Mark} size=30 />roost</h1>
    <${Fields} error=${state.error} />
    <p id="login-error" class="error" role="alert">${state.error}</p>
    <button type="submit" class="primary" disabled=${state.busy}>${state.busy ? "Logging in…" : "Log in"}</button>
    <button type="button" onClick=${() => {
      setState({ busy: false, error: "" });
      setBy(by === "token" ? "password" : "token");
    }}>${by === "token" ? "Use a name and a password" : "Use a token"}</button>
    <${Provider} route=${route} next=${nextPage(route.params.get("next"))}
      onDone=${(next) => onDone(nextPage(next))} />
    ${by === "token" && html`<div id="token-where" class="where"><p>The administrator's token was printed when central first
      started, and stands in <code>admin.token</code> in its data directory:</p>
      <pre>roost-central token --data-dir DIR</pre>
      <p>The browser keeps a session cookie, never the token.</p></div>`}
  </form></main>`;
}

const WRONG = { token: "This token is not valid here.", password: "The name or the password is wrong." };

function Token({ error }) {
  return html`<label for="token">Token</label>
    <input id="token" name="token" type="password" autocomplete="current-password" spellcheck=${false}
      placeholder="rtk_…" aria-describedby="token-where login-error" aria-invalid=${Boolean(error)} />`;
}

function Password({ error }) {
  return html`<label for="user">Name</label>
    <input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck=${false}
      aria-describedby="login-error" aria-invalid=${Boolean(error)} />
    <label for="password">Password</label>
    <input id="password" name="password" type="password" autocomplete="current-password"
      aria-describedby="login-error" aria-invalid=${Boolean(error)} />`;
}

/** Only a path of this console: a full address in the link would lead elsewhere. */
function nextPage(next) {
  return next && /^\/(?![/\\])/.test(next) ? next : "/";
}
