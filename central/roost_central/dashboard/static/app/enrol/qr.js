/** A QR code from rows of modules: one path, dark on light in every theme, with its quiet zone. */
import { html } from "../html.js";

const QUIET = 4; // modules around it (ISO/IEC 18004, 6.3.8)
const PIXELS = 4; // of a module

/** @param {{rows: string[], label: string}} given rows of "0" and "1" */
export function QrCode({ rows, label }) {
  const side = rows.length + 2 * QUIET;
  const squares = rows.flatMap((row, y) => [...row].map((module, x) => (module === "1"
    ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : ""))).join("");
  return html`<svg class="qr" role="img" aria-label=${`QR code: ${label}`} width=${side * PIXELS} height=${side * PIXELS}
    viewBox=${`0 0 ${side} ${side}`} shape-rendering="crispEdges"><path fill="#fff" d=${`M0 0h${side}v${side}h-${side}z`} />
    <path fill="#000" d=${squares} /></svg>`;
}
