/** One part: where it is, and its life in the fleet. */
import { html } from "../html.js";
import { queryString } from "../api.js";
import { useFetched } from "../fetched.js";
import { fieldTitle, valueText } from "../node/humanise.js";
import { nodePath } from "../router.js";
import { CopyLine, shellWord } from "../shell/copy.js";
import { Problem } from "../shell/failure.js";
import { Time } from "../time.js";

const SAID = { came: "came to", went: "was taken out of", changed: "changed in" };

/** @param {{part: string}} given class and key, a space between them */
export function Part({ part }) {
  const [itemClass, ...rest] = part.split(" ");
  const item = rest.join(" ");
  const { value, error } = useFetched(`/inventory/part${queryString({ class: itemClass, item })}`);
  const line = `roost inventory part ${shellWord(itemClass)} ${shellWord(item)}`;
  return html`<section><h2>${itemClass.replaceAll("_", " ")} <code>${item}</code></h2>
    ${error ? html`<${Problem} error=${error} />` : !value ? html`<p class="empty">Reading…</p>`
    : html`<p>Now in ${value.nodes.length ? value.nodes.map((node, at) => html`${at > 0 && ", "}<a key=${node}
        href=${nodePath(node)}>${node}</a>`) : "no node"}.</p>
      ${value.steps.length === 0 ? html`<p class="quiet">It has been there since the node's first inventory.</p>`
      : html`<ol class="diff">${value.steps.map((step, at) => html`<${Step} key=${at} step=${step} />`)}</ol>`}`}
    <${CopyLine} text=${line} /></section>`;
}

function Step({ step }) {
  const { node, what, field, old, new: now } = step;
  return html`<li><div class="diff-head"><span>${SAID[what] ?? what} <a href=${nodePath(node)}>${node}</a></span>
    <${Time} at=${step.at} /></div>
    ${field && html`<ul><li><span class="diff-field">${fieldTitle(field)}</span>${" "}
      ${old !== null && html`<del>${valueText(field, old)}</del>`}
      ${old !== null && now !== null && html`<span aria-label="became"> → </span>`}
      ${now !== null && html`<ins>${valueText(field, now)}</ins>`}</li></ul>`}</li>`;
}
