/** What is shown where an answer should be: what went wrong, and what can be done about it. */
import { html } from "../html.js";

export function Failure({ error, what, onRetry }) {
  const absent = error.status === 404;
  return html`<main id="main" class="page">
    <h1>${absent ? `There is no ${what}` : `Could not read ${what}`}</h1>
    <p>${absent ? "It was never heard of or registered, or it was removed." : error.message}</p>
    <p><button type="button" onClick=${onRetry}>Try again</button> <a href="/">To the fleet</a></p>
      </main>`;
}

export function Problem({ error }) {
  return error && html`<p class="problem" role="alert">${error.message}</p>`;
}
