/** The words of rollouts: states with their marks, moves with what they do. */
import { html } from "../html.js";

const MARKS = {
  awaiting_approval: "✎", scheduled: "◷", running: "▶", paused: "‖", aborting: "✕", rolling_back: "↩", denied: "✕",
  completed: "✓", aborted: "✕", rolled_back: "↩", pending: "·", releasing: "▶", soaking: "◷", passed: "✓", failed: "■", skipped: "»",
};
export const MOVES = {
  start: ["Start", "The first wave is offered.", {}],
  pause: ["Pause", "Nothing more is offered until somebody resumes it; sites finish what they have.", {}],
  resume: ["Resume", "It goes on where it was.", {}],
  retry: ["Retry the wave", "The sites that failed get it once more.", { failed_wave: "retry" }],
  skip: ["Skip the wave", "What failed or is silent stays as it is, or catches up; the next wave has its turn.", { failed_wave: "skip" }],
  promote: ["Promote", "Opens the gate of the wave, or ends its soak or its wait for silent sites now.", {}],
  abort: ["Abort", "Nothing more is offered, and what is not done is taken back: who has it keeps it.", {}],
  "roll-back": ["Roll back", "Every touched site gets the release that it had, the newest wave first.", {}],
  deny: ["Deny", "It is at its end then. Say why.", {}],
};
const POSSIBLE = {
  awaiting_approval: ["deny"], scheduled: ["start", "abort"], running: ["pause", "promote", "abort", "roll-back"],
  paused: ["resume", "abort", "roll-back"], rolling_back: ["abort"], aborting: ["roll-back"], aborted: ["roll-back"],
};
/** What becomes of sites, in the order in which they are drawn: key, words, the states that it has. */
const PARTS = [
  ["done", "have it", ["succeeded"]], ["soak", "watched", ["verifying", "soaking"]],
  ["work", "at work", ["offered", "accepted", "staging", "staged", "waiting", "applying", "cancel_rejected"]],
  ["failed", "failed", ["failed", "rolled_back", "timed_out"]], ["silent", "silent", ["unreachable"]],
  ["off", "put off", ["rejected"]], ["unmeant", "need nothing", ["not_needed", "incompatible"]],
  ["alone", "went back by themselves before", ["went_back"]], ["spared", "failed before and never had it", ["never_had"]], ["left", "left out", ["canceled", "superseded"]], ["queued", "queued", ["queued"]], ["apart", "left out or need nothing", ["apart"]],
];
export const STATES = PARTS.flatMap(([, , states]) => states).filter((state) => state !== "went_back" && state !== "never_had" && state !== "apart");

/**
 * What the sites of a wave came to; of a rollout that goes back, who was back by itself or never had
 * the release has not failed. Of the latter some timed out: only the sum of all failures is drawn.
 */
export const statesOf = ({ states, went_back: alone = 0, never_had: spared = 0 }) => (alone || spared ? {
  ...states, rolled_back: (states.rolled_back ?? 0) - alone, failed: (states.failed ?? 0) - spared,
  went_back: alone, never_had: spared,
} : states);

/** What a list knows of a rollout's sites, in the states that `Counts` draws. */
export const statesOfCounts = ({ done, at_work: work, failed, silent, waiting, apart }) => ({
  succeeded: done, applying: work, failed, unreachable: silent, queued: waiting, apart,
});

/** @returns {string[]} what may be done with a rollout now */
export function movesOf(value) {
  const stage = value.stages[value.wave - 1];
  const isSilent = value.pause === "unreachable" && stage?.unreachable > 0;
  if (value.state === "aborted" && value.kind === "profile") return []; // its former texts are sent instead
  const ways = stage?.state === "failed" ? ["retry", "skip"] : isSilent ? ["resume", "skip"] : ["resume"];
  return (POSSIBLE[value.state] ?? []).flatMap((each) => (each === "resume" ? ways : [each]));
}

export const State = ({ name, more = "" }) => html`<span class=${`rollout-state ${name}`}><span aria-hidden="true">${MARKS[name]}</span> ${name.replaceAll("_", " ")}${more && ` (${more.replaceAll("_", " ")})`}</span>`;

/** Sites by what became of them: a bar, and the words and numbers that say the same; of a rollout that goes back, who is back. */
export function Counts({ states, label, isBack }) {
  const known = PARTS.map(([key, words, some]) => [key, isBack && key === "done" ? "are back" : words, some.reduce((sum, each) => sum + (states[each] ?? 0), 0)])
    .filter(([, , count]) => count);
  if (!known.length) return html`<span class="quiet">no site</span>`;
  return html`<span class="delivery"><span class="delivery-bar rollout-bar" role="img" aria-label=${`${label}: ${known
      .map(([, words, count]) => `${count} ${words}`).join(", ")}`}>${known.map(([key, , count]) => html`<span key=${key}
      class=${key} style=${{ flexGrow: count }} />`)}</span>
    <span class="delivery-words">${known.map(([key, words, count]) => html`<span key=${key}>${count.toLocaleString("en")} ${words}</span> `)}</span></span>`;
}

/** A wave by number and name; one that was given no name has its number for one. */
export const waveOf = (wave) => (wave.name === `wave ${wave.wave}` ? wave.name : `${wave.wave} ${wave.name}`);
export const length = (seconds) => (seconds < 3_600 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`);
