/** A command line that does the same as the page, and a button that takes it along. */
import { html, useRef, useState } from "../html.js";

const SAID_MS = 2_000;

/** @param {string} value @returns {string} one word of a POSIX shell */
export const shellWord = (value) => (/^[\w.,:=@%+/-]+$/.test(value) ? value
  : `'${value.replaceAll("'", "'\\''")}'`);

/** @param {{text: string, label?: string}} given */
export function CopyLine({ text, label = "the same as a command" }) {
  const code = useRef(null);
  const [said, setSaid] = useState("copy");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("copied");
    } catch {
      getSelection().selectAllChildren(code.current); // no clipboard outside of https
      setSaid("press Ctrl-C");
    }
    setTimeout(setSaid, SAID_MS, "copy");
  };
  return html`<div class="as-cli"><code ref=${code}>${text}</code>
    <button type="button" onClick=${copy} title=${`copy ${label}`}>${said}</button></div>`;
}
