// @ts-check
/**
 * The geometry of a plan that is moved by hand. Pure.
 *
 * While it is moved the whole source lies at (x, y) in the output, `scale` output px to each of
 * its px. A plan for the server is cut from that: a place on whole output px, and the part of
 * the source that fills it without being stretched.
 */

/** @typedef {{x: number, y: number, scale: number}} Spot */
/** @typedef {[number, number, number, number]} Box left, top, right, bottom */

/** Output px of the source that stay in the frame, whatever is dragged. */
const LEAST = 16;

const FEATHER = 8 / 1024;
const SMALLEST_SHARE = 0.02;
const LARGEST_SCALE = 64;

/**
 * Where a plan has the source.
 * @param {any} plan
 * @returns {Spot}
 */
export function spotOf(plan) {
  const [left, top, right, bottom] = plan.crop;
  const across = (plan.place[2] - plan.place[0]) / (right - left);
  const down = (plan.place[3] - plan.place[1]) / (bottom - top);
  const scale = Math.max(across, down);
  return { x: plan.place[0] - left * scale, y: plan.place[1] - top * scale, scale };
}

/**
 * The plan that has the source at `spot`, as near as whole pixels allow; the rest is `plan`'s.
 * @param {any} plan
 * @param {Spot} spot
 */
export function planAt(plan, spot) {
  const [sourceWidth, sourceHeight] = plan.source;
  const [width, height] = plan.target;
  const { x, y, scale } = bounded(plan, spot);
  const across = along(x, sourceWidth, width, scale);
  const down = along(y, sourceHeight, height, scale);
  const place = [across.place[0], down.place[0], across.place[1], down.place[1]];
  const crop = [across.crop[0], down.crop[0], across.crop[1], down.crop[1]];
  const edited = { source: plan.source, target: plan.target, crop, place, policy: plan.policy };
  return { ...edited, ...seam(plan, edited, scale), reasons: ["placed by hand"], warnings: [] };
}

/**
 * Moves the source within the frame by output px.
 * @param {Spot} spot
 * @param {number} x
 * @param {number} y
 * @returns {Spot}
 */
export function moved(spot, x, y) {
  return { ...spot, x: spot.x + x, y: spot.y + y };
}

/**
 * Scales by `factor` around a point of the output.
 * @param {Spot} spot
 * @param {number} factor
 * @param {number} x
 * @param {number} y
 * @returns {Spot}
 */
export function scaled(spot, factor, x, y) {
  return {
    x: x - (x - spot.x) * factor,
    y: y - (y - spot.y) * factor,
    scale: spot.scale * factor,
  };
}

/**
 * All of the source, in the middle.
 * @param {any} plan
 */
export function contained(plan) {
  return centred(plan, Math.min(...ratios(plan)));
}

/**
 * All of the frame, from the middle of the source.
 * @param {any} plan
 */
export function covering(plan) {
  return centred(plan, Math.max(...ratios(plan)));
}

/**
 * @param {any} plan
 * @param {number} scale
 * @returns {Spot}
 */
export function centred(plan, scale) {
  const [sourceWidth, sourceHeight] = plan.source;
  const [width, height] = plan.target;
  const x = (width - sourceWidth * scale) / 2;
  return { x, y: (height - sourceHeight * scale) / 2, scale };
}

/**
 * The smallest and the largest scale that the editor offers.
 * @param {any} plan
 */
export function scaleRange(plan) {
  const [contain, cover] = [Math.min(...ratios(plan)), Math.max(...ratios(plan))];
  const least = Math.max(LEAST / Math.min(...plan.source), contain * SMALLEST_SHARE);
  return { contain, cover, least, most: Math.min(LARGEST_SCALE, cover * 6) };
}

/**
 * The spot with some of the source in the frame, and a scale that can be made.
 * @param {any} plan
 * @param {Spot} spot
 * @returns {Spot}
 */
export function bounded(plan, spot) {
  const { least, most } = scaleRange(plan);
  const scale = Math.min(most, Math.max(least, spot.scale));
  const [sourceWidth, sourceHeight] = plan.source;
  const [width, height] = plan.target;
  return {
    x: between(spot.x, LEAST - sourceWidth * scale, width - LEAST),
    y: between(spot.y, LEAST - sourceHeight * scale, height - LEAST),
    scale,
  };
}

/**
 * Share of the output that is painted, 0 to 1.
 * @param {any} plan
 */
export function addedShare(plan) {
  const [left, top, right, bottom] = plan.place;
  return 1 - ((right - left) * (bottom - top)) / (plan.target[0] * plan.target[1]);
}

/**
 * Share of the source that is lost, 0 to 1.
 * @param {any} plan
 */
export function croppedShare(plan) {
  const [left, top, right, bottom] = plan.crop;
  const kept = ((right - left) * (bottom - top)) / (plan.source[0] * plan.source[1]);
  return Math.max(0, 1 - kept);
}

/**
 * A box of the source, in fractions of it, as fractions of the output.
 * @param {any} plan
 * @param {Box} box
 * @returns {Box}
 */
export function onOutput(plan, [left, top, right, bottom]) {
  const { x, y, scale } = spotOf(plan);
  const across = (/** @type {number} */ share) =>
    (x + share * plan.source[0] * scale) / plan.target[0];
  const down = (/** @type {number} */ share) =>
    (y + share * plan.source[1] * scale) / plan.target[1];
  return [across(left), down(top), across(right), down(bottom)];
}

/**
 * Which of the boxes, in fractions of the source, a plan cuts: their numbers.
 * @param {any} plan
 * @param {Box[]} boxes
 */
export function cutBoxes(plan, boxes) {
  const slack = 1.01 / spotOf(plan).scale;
  const [width, height] = plan.source;
  const [left, top, right, bottom] = plan.crop;
  return boxes.flatMap((box, number) => {
    const out =
      box[0] * width < left - slack ||
      box[1] * height < top - slack ||
      box[2] * width > right + slack ||
      box[3] * height > bottom + slack;
    return out ? [number] : [];
  });
}

/**
 * One axis: whole px in the output, and what of the source lies exactly there.
 * @param {number} start
 * @param {number} source
 * @param {number} frame
 * @param {number} scale
 */
function along(start, source, frame, scale) {
  const begin = Math.round(start); // an unscaled source then lies on whole px, and is copied
  const near = Math.max(0, begin);
  const far = Math.min(frame, Math.max(near + 1, Math.floor(begin + source * scale + 1e-6)));
  const from = (near - begin) / scale;
  return { place: [near, far], crop: [from, Math.min(source, from + (far - near) / scale)] };
}

/**
 * The seam as the planner makes it, for a plan that was moved.
 * @param {any} before
 * @param {any} edited
 * @param {number} scale
 */
function seam(before, edited, scale) {
  const [left, top, right, bottom] = edited.place;
  const short = Math.min(right - left, bottom - top);
  if (addedShare(edited) === 0) return { feather: 0, rim: 0 };
  const widest = Math.floor(short / 8);
  const wished = Math.round(FEATHER * Math.max(...edited.target));
  const rim = Math.ceil(((before.rim ?? 0) * scale) / spotOf(before).scale);
  const skipped = Math.min(rim, Math.floor(widest / 2));
  return { feather: Math.min(skipped + wished, widest), rim: skipped };
}

/** @param {any} plan */
function ratios(plan) {
  return [plan.target[0] / plan.source[0], plan.target[1] / plan.source[1]];
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function between(value, least, most) {
  return Math.min(most, Math.max(least, value));
}

/**
 * The spot with borders and middles that are nearly met met exactly.
 * @param {any} plan
 * @param {Spot} spot
 * @param {number} reach output px
 * @returns {Spot}
 */
export function snapped(plan, spot, reach) {
  const pull = (/** @type {number} */ value, /** @type {number} */ slack) =>
    [0, slack, slack / 2].find((line) => Math.abs(line - value) <= reach) ?? value;
  return {
    x: pull(spot.x, plan.target[0] - plan.source[0] * spot.scale),
    y: pull(spot.y, plan.target[1] - plan.source[1] * spot.scale),
    scale: spot.scale,
  };
}
