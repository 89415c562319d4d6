/** The link of a saved view: leads on to the page that the view names. */
import { html, useEffect } from "../html.js";
import { useFetched } from "../fetched.js";
import { navigate } from "../router.js";
import { Failure } from "../shell/failure.js";
import { viewAddress } from "./address.js";

export function ViewPage({ route }) {
  const { value, error, reload } = useFetched(`/views/${encodeURIComponent(route.name)}`);
  useEffect(() => {
    if (value) navigate(viewAddress(value), { replace: true });
  }, [value]);
  if (error) return html`<${Failure} error=${error} what=${`saved view ${route.name}`} onRetry=${reload} />`;
  return html`<main id="main" class="page"><p class="empty">Reading…</p></main>`;
}
