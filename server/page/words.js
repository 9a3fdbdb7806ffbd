// @ts-check
/** Numbers, steps and errors in words. Pure. */

import { addedShare, croppedShare } from "./plan.js";

/** Seam scores above this are seen, as the server has it. */
export const SEAM_VISIBLE = 2;

/** The engine that needs none. */
const NO_GPU = "preview";

const STEPS = Object.freeze({
  decode: "Reading the picture",
  describe: "Looking at it",
  plan: "Planning",
  lay_out: "Laying out",
  outpaint: "Painting",
  refine: "Refining",
  compose: "Putting together",
  check: "Checking the result",
  encode: "Writing the file",
});

/** @param {string | null} step */
export function stepWords(step) {
  return STEPS[/** @type {keyof STEPS} */ (step ?? "")] ?? step ?? "Starting";
}

/** @param {number} share */
export function percent(share) {
  const value = share * 100;
  if (value > 0 && value < 1) return "under 1 %";
  return `${Math.round(value)} %`;
}

/** @param {number} bytes */
export function fileSize(bytes) {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)}\u00a0MB`;
  return bytes >= 1000 ? `${Math.round(bytes / 1000)}\u00a0kB` : `${bytes}\u00a0B`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 0.1) return "under 0.1 s";
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

/**
 * What a plan does, in one line.
 * @param {any} plan
 * @param {number | null} seconds of the engine
 * @param {string} [engine]
 */
export function planWords(plan, seconds, engine = "") {
  const added = addedShare(plan);
  const cropped = croppedShare(plan);
  const words = [];
  if (added < 0.0005 && cropped < 0.005) words.push("a plain resize");
  else words.push(`added ${percent(added)}`, `cropped ${percent(cropped < 0.002 ? 0 : cropped)}`);
  if (seconds) words.push(`about ${duration(seconds)}${engine === NO_GPU ? "" : " GPU"}`);
  return capital(words.join(", "));
}

/**
 * What a run is doing, in one line.
 * @param {{status: string, position: number | null, step: string | null, percent: number}} told
 */
export function progressWords({ status, position, step, percent: done }) {
  switch (status) {
    case "sending":
      return "Sending the picture";
    case "queued":
      return position ? `Waiting, ${position} ahead` : "Next in line";
    case "running":
      return `${stepWords(step)}, ${Math.round(done)} %`;
    case "succeeded":
      return "Done";
    case "canceled":
      return "Cancelled";
    default:
      return "Failed";
  }
}

/**
 * The worst seam score of a record, null where nothing was added.
 * @param {any} record
 * @returns {number | null}
 */
export function worstSeam(record) {
  const scores = Object.values(record?.seam ?? {});
  return scores.length ? Math.max(...scores) : null;
}

/** @param {string} text */
export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * @param {string} name like google-display
 */
export function platformName(name) {
  const known = { iab: "IAB", x: "X", tiktok: "TikTok", youtube: "YouTube", linkedin: "LinkedIn" };
  const words = name.split("-").map(capital).join(" ");
  return known[/** @type {keyof known} */ (name)] ?? words;
}
