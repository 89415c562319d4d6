/** Login: a pasted token is exchanged for a session cookie, and not kept by the page. */
import { html, useEffect, useRef, useState } from "./html.js";
import { request } from "./api.js";
import { Mark } from "./shell/mark.js";

export function LoginPage({ route, onDone }) {
  const [state, setState] = useState({ busy: false, error: "" });
  const input = useRef(null);
  useEffect(() => input.current.focus(), []);
  const submit = async (event) => {
    event.preventDefault();
    const token = input.current.value.trim();
    if (!token) return;
    setState({ busy: true, error: "" });
    try {
      await request("/session", { method: "POST", body: { token } });
      input.current.value = "";
      onDone(nextPage(route.params.get("next")));
    } catch (error) {
      const wrong = error.status === 401 || error.status === 400 || error.status === 422;
      setState({ busy: false, error: wrong ? "This token is not valid here." : error.message });
      input.current.select();
    }
  };
  return html`<main class="login" id="main"><form onSubmit=${submit}>
    <h1><${Mark} size=30 />roost</h1>
    <label for="token">Token</label>
    <input ref=${input} id="token" name="token" type="password" autocomplete="current-password"
      spellcheck=${false} placeholder="rtk_…" aria-describedby="token-where token-error"
      aria-invalid=${Boolean(state.error)} />
    <p id="token-error" class="error" role="alert">${state.error}</p>
    <button type="submit" class="primary" disabled=${state.busy}>${state.busy ? "Logging in…" : "Log in"}</button>
    <div id="token-where" class="where"><p>The administrator's token was printed when central first
      started, and stands in <code>admin.token</code> in its data directory:</p>
      <pre>roost-central token --data-dir DIR</pre>
      <p>The browser keeps a session cookie, never the token.</p></div>
  </form></main>`;
}

/** Only a path of this console: a full address in the link would lead elsewhere. */
function nextPage(next) {
  return next && /^\/(?![/\\])/.test(next) ? next : "/";
}
