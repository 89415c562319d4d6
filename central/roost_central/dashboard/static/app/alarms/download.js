/** The whole result as a file: the server streams it, whatever number of rows is on the page. */
import { html } from "../html.js";
import { queryString } from "../api.js";

const MEDIA = { csv: "text/csv", ndjson: "application/x-ndjson" };
const ANSWER_MS_MAX = 120_000;

export function Export({ path = "/alarms", onFailure, ...view }) {
  const take = (form) => () => download(path, view, form)
    .catch((error) => onFailure(`The export did not come: ${error.message}`));
  return html`<div class="segments" role="group" aria-label="Export the whole result">
    ${["csv", "ndjson"].map((form) => html`<button type="button" key=${form} onClick=${take(form)}
      title=${`the whole result as ${form.toUpperCase()}`}>${form.toUpperCase()}</button>`)}</div>`;
}

/**
 * @param {string} path below /api/v1
 * @param {Record<string, string>} view filter, and sort, since or where
 * @param {"csv"|"ndjson"} form
 */
async function download(path, view, form) {
  const response = await fetch(`/api/v1${path}${queryString(view)}`, {
    headers: { Accept: MEDIA[form] }, signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const address = URL.createObjectURL(await response.blob());
  const link = Object.assign(document.createElement("a"), {
    href: address, download: `${path.replaceAll("/", "-").slice(1)}.${form}`,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1_000);
}
