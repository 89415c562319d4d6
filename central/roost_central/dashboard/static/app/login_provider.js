/** Login by the OpenID provider: there, and back with a code that the centre redeems. */
import { html, useEffect, useState } from "./html.js";
import { request } from "./api.js";

/** Whether the provider sent the browser here. */
const isReturn = (route) => route.page === "login" && route.name === "oidc";

export function Provider({ route, next, onDone }) {
  const [offer, setOffer] = useState(null);
  const [state, setState] = useState({ busy: isReturn(route), error: "" });
  const fail = (error) => setState({ busy: false, error: error.message });
  useEffect(() => {
    request("/session/oidc").then(setOffer).catch(() => setOffer(null));
    if (isReturn(route)) comeBack(route.params).then(onDone, fail);
  }, []);
  const go = async () => {
    setState({ busy: true, error: "" });
    try {
      const { url } = await request("/session/oidc", { method: "POST", body: { next } });
      location.assign(url);
    } catch (error) {
      fail(error);
    }
  };
  if (!offer?.provider && !isReturn(route)) return null;
  const host = offer?.provider ?? "the provider";
  return html`<div class="provider">
    <button type="button" disabled=${state.busy} onClick=${go}>
      ${state.busy ? `Logging in with ${host}…` : `Log in with ${host}`}</button>
    <p class="error" role="alert">${state.error}</p>
    ${offer?.problem && !state.error && html`<p role="status">${host} cannot log anybody in just now
      (${offer.problem}). Tokens and passwords work.</p>`}
  </div>`;
}

/** End the login that the address tells of; the address forgets it first. */
async function comeBack(params) {
  history.replaceState(null, "", "/login");
  const [code, state, iss] = ["code", "state", "iss"].map((name) => params.get(name) ?? "");
  if (!code || !state) {
    const word = params.get("error") ?? "";
    const said = /^[a-z_]{1,40}$/.test(word) ? `: ${word}` : "";
    throw new Error(`The provider logged nobody in${said}. Try again, or ask its administrator.`);
  }
  const answer = await request("/session/oidc/code", { method: "POST", body: { code, state, iss } });
  return answer.next;
}
