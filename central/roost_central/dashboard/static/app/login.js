/** Login: a pasted token is exchanged for a session cookie, and not kept by the page. */
import { html, useEffect, useRef, useState } from "./html.js";
import { request } from "./api.js";

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
    <h1><svg viewBox="0 0 24 24" width="30" height="30" aria-hidden="true">
      <path d="M3 18h18M6.500 18v3M17.500 18v3" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>
      <path d="M5 14.500c0-4.500 3.500-7 7-7 .8-2.600 3.500-3.500 5.200-2.600l2.800 1.400-2.300 1.300c.8 4.400-2.600 6.900-6.200 6.900z" fill="currentColor"/></svg>roost</h1>
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
