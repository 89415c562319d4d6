/** The bird on its perch. */
import { html } from "../html.js";

export function Mark({ size }) {
  return html`<svg viewBox="0 0 24 24" width=${size} height=${size} aria-hidden="true">
    <path d="M3 18h18M6.500 18v3M17.500 18v3" fill="none" stroke="currentColor" stroke-width="2"
      stroke-linecap="round" />
    <path fill="currentColor" d="M5 14.500c0-4.500 3.500-7 7-7 .8-2.600 3.500-3.500 5.200-2.600l2.800
      1.400-2.300 1.300c.8 4.400-2.600 6.900-6.200 6.900z" /></svg>`;
}
