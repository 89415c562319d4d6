/** Lines over time by uPlot, which comes when the first plot is opened. */
import { html, useEffect, useRef } from "../html.js";
import { prefs } from "../prefs.js";
import uPlot from "../../vendor/uplot.js";

const HEIGHT = 180;
const WIDTH_MIN = 240;
// Told apart by dash as well as by colour; the legend's keys show both.
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
const TONES = ["--accent", "--degraded", "--ok", "--unknown", "--maintenance", "--down"];

let sheet = null;

/** Bring uPlot's few styles, once. */
function style() {
  if (sheet) return;
  sheet = document.createElement("link");
  sheet.rel = "stylesheet";
  sheet.href = new URL("../../vendor/uplot.css", import.meta.url).href;
  document.head.append(sheet);
}

/**
 * @param {{times: number[], lines: {low: any[], mean: any[], high: any[]}[], names: string[], unit: string, label: string}} given
 *   `times` in seconds of UTC; of a single line the lowest and highest are drawn as a band
 */
export function Plot({ times, lines, names, unit, label }) {
  const place = useRef(null);
  useEffect(() => {
    style();
    const plot = new uPlot(options(place.current, names, unit, lines.length === 1), dataOf(times, lines), place.current);
    const watcher = new ResizeObserver(() => plot.setSize({ width: widthOf(place.current), height: HEIGHT }));
    watcher.observe(place.current);
    return () => {
      watcher.disconnect();
      plot.destroy();
    };
  }, [times.join(), lines]);
  return html`<div class="lines" ref=${place} role="img" aria-label=${label}></div>`;
}

function dataOf(times, lines) {
  const [first] = lines;
  const band = lines.length === 1 ? [first.high, first.low] : [];
  const drawn = [...band, ...lines.map(({ mean }) => mean)]; // the mean is drawn over its band
  return [times, ...drawn.map(bridged)];
}

/**
 * A sensor that is read every second minute has no gap in each other step: `undefined` joins what `null` parts.
 * @param {(number | null)[]} values
 * @returns {(number | null | undefined)[]} holes no longer than twice the usual one are joined
 */
export function bridged(values) {
  const at = values.flatMap((value, step) => (value === null ? [] : [step]));
  const holes = at.slice(1).map((step, before) => step - at[before] - 1);
  const usual = holes.toSorted((one, other) => one - other)[Math.floor(holes.length / 2)] ?? 0;
  const joined = [...values];
  holes.forEach((hole, before) => {
    if (hole <= 2 * usual) joined.fill(undefined, at[before] + 1, at[before + 1]);
  });
  return joined;
}

function options(element, names, unit, hasBand) {
  const colour = painter(element);
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
  const value = (_, raw) => (raw === null || raw === undefined ? "–" : `${raw} ${unit}`);
  const line = (name, at) => ({
    label: name, value, stroke: colour(TONES[at % TONES.length]), width: 1.5, points: { show: false },
    dash: DASHES[Math.floor(at / TONES.length + at) % DASHES.length],
  });
  const edge = (name) => ({ label: name, value, stroke: colour("--edge"), width: 0.5, points: { show: false } });
  return {
    width: widthOf(element), height: HEIGHT, legend: { live: true }, cursor: { sync: { key: "samples" }, drag: { x: true, y: false } },
    tzDate: (at) => (prefs.get().clock === "utc" ? uPlot.tzDate(new Date(at * 1000), "Etc/UTC") : new Date(at * 1000)),
    scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 1) <= 0 ? 1 : high * 1.05] } },
    axes: [{ ...axis, values: [[3600, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{YYYY}-{MM}-{DD}", null, null, null, 1],
      [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{YYYY}-{MM}-{DD}", null, null, null, 1]] }, { ...axis, size: 56 }],
    series: [{ value: "{YYYY}-{MM}-{DD} {HH}:{mm}" }, ...(hasBand ? [edge("highest"), edge("lowest")] : []), ...names.map(line)],
    bands: hasBand ? [{ series: [1, 2], fill: colour("--hover") }] : [],
  };
}

/** @returns {(name: string) => string} what a custom property is in this theme: a canvas knows no var() */
function painter(element) {
  const probe = document.createElement("i");
  element.append(probe);
  const found = Object.fromEntries([...TONES, "--quiet", "--line", "--edge", "--hover"].map((name) => {
    probe.style.color = `var(${name})`;
    return [name, getComputedStyle(probe).color];
  }));
  probe.remove();
  return (name) => found[name];
}

const widthOf = (element) => Math.max(WIDTH_MIN, element.clientWidth);
