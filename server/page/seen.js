// @ts-check
/** What the server saw in a picture, as a person has corrected it. Pure. */

import { capital } from "./words.js";

/** @typedef {[number, number, number, number]} Box in fractions of the source */

/** A box this near to an edge of the picture touches it. */
const NEAR = 0.01;

/**
 * The subjects of a picture: those of the correction, where there is one.
 * @param {any} state
 * @param {string} picture its id
 * @returns {any[]}
 */
export function subjectsOf({ planned, corrections }, picture) {
  return corrections[picture] ?? planned[picture]?.composition?.subjects ?? [];
}

/**
 * What the subjects are called, no two the same.
 * @param {any[]} subjects
 */
export function namesOf(subjects) {
  const labels = subjects.map(({ label }) => label || "subject");
  return labels.map((label, number) => {
    const alike = (/** @type {string[]} */ others) => others.filter((each) => each === label).length;
    const count = alike(labels) > 1 ? ` ${alike(labels.slice(0, number + 1))}` : "";
    return capital(label) + count;
  });
}

/**
 * With one subject in another box, or without it. A box that a person drew is exact.
 * @param {any[]} subjects
 * @param {number} number
 * @param {Box | null} box null removes it
 */
export function correct(subjects, number, box) {
  if (!box) return subjects.toSpliced(number, 1);
  return subjects.with(number, { ...subjects[number], box, trusted: true, by: "caller" });
}

/**
 * The composition that plans are made for. An edge of the picture that cut nothing but subjects
 * that are elsewhere now cuts nothing.
 * @param {any} composition
 * @param {any[] | undefined} correction
 */
export function corrected(composition, correction) {
  if (!correction) return composition;
  const cuts = (/** @type {any[]} */ subjects, /** @type {string} */ edge) =>
    subjects.some(({ box }) => touches(box, edge));
  const edges = (composition.cut_edges ?? []).filter(
    (/** @type {string} */ edge) => cuts(correction, edge) || !cuts(composition.subjects, edge),
  );
  return { ...composition, subjects: correction, cut_edges: edges };
}

/** @param {Box} box @param {string} edge */
function touches([left, top, right, bottom], edge) {
  const far = { left, top, right: 1 - right, bottom: 1 - bottom };
  return far[/** @type {keyof far} */ (edge)] <= NEAR;
}
