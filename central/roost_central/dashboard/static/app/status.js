/**
 * The states that are shown, each with a word, a letter, a shape and a colour, so that none is
 * told by colour alone. Order is rank, the worst last (fleet/fields.py has the same).
 */
import { html } from "./html.js";

/** @typedef {{name: string, letter: string, shape: string, tone: string}} State */

/** @type {State[]} */
export const SITE_STATES = [
  { name: "ok", letter: "O", shape: "square", tone: "ok" },
  { name: "maintenance", letter: "M", shape: "bar", tone: "maintenance" },
  { name: "degraded", letter: "G", shape: "triangle", tone: "degraded" },
  { name: "unknown", letter: "U", shape: "ring", tone: "unknown" },
  { name: "down", letter: "D", shape: "cross", tone: "down" },
];
export const STATUS_NAMES = SITE_STATES.map((state) => state.name);
export const UNKNOWN = STATUS_NAMES.indexOf("unknown");

/** @type {Record<string, State>} of a watched process */
export const PROCESS_STATES = {
  running: { name: "running", letter: "R", shape: "square", tone: "ok" },
  starting: { name: "starting", letter: "s", shape: "bar", tone: "maintenance" },
  settling: { name: "settling", letter: "S", shape: "bar", tone: "maintenance" },
  restarting: { name: "restarting", letter: "r", shape: "triangle", tone: "degraded" },
  failed: { name: "failed", letter: "F", shape: "cross", tone: "down" },
  ignored: { name: "ignored", letter: "–", shape: "ring", tone: "unknown" },
};

/** @type {Record<string, State>} how bad a sensor of a board controller is */
export const SENSOR_LEVELS = {
  ok: { name: "ok", letter: "K", shape: "square", tone: "ok" },
  minor: { name: "minor", letter: "m", shape: "triangle", tone: "degraded" },
  major: { name: "major", letter: "M", shape: "triangle", tone: "degraded" },
  critical: { name: "critical", letter: "C", shape: "cross", tone: "down" },
  offline: { name: "not read", letter: "–", shape: "ring", tone: "unknown" },
};

/** @type {Record<string, State>} availability of a host (X.731) */
export const HOST_STATES = {
  available: { name: "available", letter: "A", shape: "square", tone: "ok" },
  degraded: { name: "degraded", letter: "G", shape: "triangle", tone: "degraded" },
  intest: { name: "intest", letter: "T", shape: "diamond", tone: "maintenance" },
  online: { name: "online", letter: "o", shape: "bar", tone: "maintenance" },
  failed: { name: "failed", letter: "F", shape: "cross", tone: "down" },
  offline: { name: "offline", letter: "N", shape: "cross", tone: "down" },
  "power-off": { name: "power-off", letter: "P", shape: "ring", tone: "unknown" },
  "not-installed": { name: "not-installed", letter: "–", shape: "ring", tone: "unknown" },
  unknown: { name: "unknown", letter: "U", shape: "ring", tone: "unknown" },
};

/** @type {Record<string, State>} presence of a node */
export const PRESENCES = {
  online: { name: "online", letter: "O", shape: "square", tone: "ok" },
  degraded: { name: "degraded", letter: "G", shape: "triangle", tone: "degraded" },
  unreachable: { name: "unreachable", letter: "N", shape: "cross", tone: "down" },
  unknown: { name: "unknown", letter: "U", shape: "ring", tone: "unknown" },
};

/** @type {Record<string, State>} state of a path */
export const PATH_STATES = {
  up: { name: "up", letter: "O", shape: "square", tone: "ok" },
  flaky: { name: "flaky", letter: "F", shape: "triangle", tone: "degraded" },
  down: { name: "down", letter: "D", shape: "cross", tone: "down" },
  unknown: { name: "unknown", letter: "U", shape: "ring", tone: "unknown" },
};

/** @type {Record<string, State>} how one node hears another by one path */
export const PEER_PATHS = {
  ...PATH_STATES,
  "oneway-in": { name: "oneway-in", letter: "I", shape: "triangle", tone: "degraded" },
  "oneway-out": { name: "oneway-out", letter: "o", shape: "triangle", tone: "degraded" },
};

/** @type {Record<string, State>} whether a site could lose a node, the worst last */
export const REDUNDANCIES = {
  none: { name: "none", letter: "–", shape: "ring", tone: "unknown" },
  ok: { name: "ok", letter: "O", shape: "square", tone: "ok" },
  unknown: { name: "unknown", letter: "U", shape: "ring", tone: "unknown" },
  lost: { name: "lost", letter: "L", shape: "triangle", tone: "degraded" },
  down: { name: "down", letter: "D", shape: "cross", tone: "down" },
};

/** @type {Record<string, State>} what a host says that it is for a group */
export const HA_ROLES = {
  active: { name: "active", letter: "A", shape: "square", tone: "ok" },
  stopping: { name: "stopping", letter: "S", shape: "bar", tone: "maintenance" },
  standby: { name: "standby", letter: "s", shape: "bar", tone: "ok" },
  barred: { name: "barred", letter: "B", shape: "triangle", tone: "degraded" },
  voter: { name: "voter", letter: "V", shape: "diamond", tone: "ok" },
  silent: { name: "silent", letter: "U", shape: "ring", tone: "unknown" },
};

/** @type {Record<string, State>} */
export const SEVERITIES = {
  critical: { name: "critical", letter: "C", shape: "cross", tone: "down" },
  major: { name: "major", letter: "M", shape: "triangle", tone: "degraded" },
  minor: { name: "minor", letter: "m", shape: "diamond", tone: "degraded" },
  warning: { name: "warning", letter: "W", shape: "bar", tone: "maintenance" },
  cleared: { name: "cleared", letter: "–", shape: "square", tone: "ok" },
};

/** @type {State} an alarm whose reporter is silent: it may have passed */
export const UNKNOWN_SEVERITY = { name: "unknown", letter: "U", shape: "ring", tone: "unknown" };

const SHAPES = {
  square: html`<rect x="2" y="2" width="12" height="12" rx="2.5" />`,
  bar: html`<path d="M2 5h12v6h-12z" />`,
  triangle: html`<path d="M8 1.500 15 14h-14z" />`,
  diamond: html`<path d="M8 1.200 14.800 8 8 14.800 1.200 8z" />`,
  ring: html`<circle cx="8" cy="8" r="5.200" fill="none" stroke="currentColor" stroke-width="3"
    stroke-dasharray="3.6 1.844" />`,
  cross: html`<path d="M5 1h6l4 4v6l-4 4h-6l-4-4v-6z" />
    <path class="cut" d="M5.300 5.300l5.400 5.400M10.700 5.300l-5.400 5.400" />`,
};

/** The shape of a state, for beside its word. */
export function Shape({ state }) {
  return html`<svg class=${`shape tone-${state.tone}`} viewBox="0 0 16 16" width="14" height="14"
    fill="currentColor" aria-hidden="true">${SHAPES[state.shape]}</svg>`;
}

/** A state as shape and word. */
export function StateChip({ states, name }) {
  const state = states[name] ?? PATH_STATES.unknown;
  return html`<span class=${`state tone-${state.tone}`}>
    <${Shape} state=${state} />${name ?? "unknown"}</span>`;
}

export const SITE_STATE_BY_NAME = Object.fromEntries(SITE_STATES.map((s) => [s.name, s]));
