/**
 * The cells' pictures, one for each status, drawn once for a size and a theme.
 *
 * Silhouette and amount of ink differ as well as colour: fine sites are a quiet field, and what
 * is wrong stands out of it in grey too.
 */
import { SITE_STATES } from "../status.js";

const SPACE = 1;

/** @type {Record<string, (c: CanvasRenderingContext2D, s: number, tone: {fill: string, ink: string}) => void>} */
const DRAW = {
  square(c, s, { fill }) {
    c.fillStyle = fill;
    c.fillRect(0, 0, s, s);
  },
  bar(c, s, { fill, ink }) {
    c.fillStyle = fill;
    c.fillRect(0, 0, s, s);
    c.fillStyle = ink;
    c.fillRect(s * 0.18, s * 0.4, s * 0.64, Math.max(1, s * 0.22));
  },
  triangle(c, s, { fill, ink }) {
    c.fillStyle = fill;
    c.fillRect(0, 0, s, s);
    c.fillStyle = ink;
    c.beginPath();
    c.moveTo(s / 2, s * 0.18);
    c.lineTo(s * 0.88, s * 0.84);
    c.lineTo(s * 0.12, s * 0.84);
    c.fill();
  },
  ring(c, s, { fill }) {
    const line = Math.max(1.4, s * 0.18);
    c.strokeStyle = fill;
    c.lineWidth = line;
    c.strokeRect(line / 2, line / 2, s - line, s - line);
    c.fillStyle = fill;
    c.fillRect(s * 0.4, s * 0.4, s * 0.22, s * 0.22);
  },
  cross(c, s, { fill, ink }) {
    c.fillStyle = fill;
    c.fillRect(0, 0, s, s);
    c.strokeStyle = ink;
    c.lineWidth = Math.max(1.2, s * 0.14);
    c.beginPath();
    c.moveTo(s * 0.25, s * 0.25);
    c.lineTo(s * 0.75, s * 0.75);
    c.moveTo(s * 0.75, s * 0.25);
    c.lineTo(s * 0.25, s * 0.75);
    c.stroke();
  },
};

/**
 * @param {Element} probe an element below which the theme's colours hold
 * @param {number} pitch in CSS pixels
 * @param {number} scale device pixels in one of them
 * @returns {ImageBitmap[]} by status code, in device pixels
 */
export function drawTiles(probe, pitch, scale) {
  const size = pitch - SPACE;
  return SITE_STATES.map((state) => {
    const tile = new OffscreenCanvas(Math.ceil(size * scale), Math.ceil(size * scale));
    const context = /** @type {any} */ (tile.getContext("2d"));
    context.scale(scale, scale);
    DRAW[state.shape](context, size, toneOf(probe, state.tone));
    return tile.transferToImageBitmap(); // immutable: drawn thousands of times without a copy
  });
}

/** A custom property holds an expression; only a used colour says what the theme made of it. */
function toneOf(probe, tone) {
  const sample = document.createElement("span");
  sample.className = `tile-${tone}`;
  probe.append(sample);
  const { backgroundColor, color } = getComputedStyle(sample);
  sample.remove();
  return { fill: backgroundColor, ink: color };
}
