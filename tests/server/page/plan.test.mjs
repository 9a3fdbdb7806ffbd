// Plans that are moved by hand.

import assert from "node:assert/strict";
import test from "node:test";
import {
  addedShare,
  bounded,
  contained,
  covering,
  croppedShare,
  cutBoxes,
  moved,
  onOutput,
  planAt,
  scaled,
  snapped,
  spotOf,
} from "../../../server/page/plan.js";

const PLAN = Object.freeze({
  source: [600, 400],
  target: [1080, 1080],
  crop: [0, 0, 600, 400],
  place: [0, 180, 1080, 900],
  feather: 8,
  rim: 0,
  policy: "auto",
});

test("a plan that is not moved stays where it is", () => {
  const again = planAt(PLAN, spotOf(PLAN));
  assert.deepEqual([again.crop, again.place], [PLAN.crop, PLAN.place]);
  assert.deepEqual([again.feather, again.rim], [8, 0]);
});

test("moving to the right crops nothing until the border is met, then the right side", () => {
  const half = { ...spotOf(PLAN), scale: 0.9, x: 0 };
  assert.deepEqual(planAt(PLAN, moved(half, 100, 0)).crop, [0, 0, 600, 400]);
  const beyond = planAt(PLAN, moved(half, 1000, 0));
  assert.equal(beyond.place[2], 1080);
  assert.ok(beyond.crop[2] < 100);
});

test("scaling keeps the point under the pointer", () => {
  const spot = spotOf(PLAN);
  const larger = scaled(spot, 2, 540, 300);
  assert.equal((540 - spot.x) / spot.scale, (540 - larger.x) / larger.scale);
  assert.equal((300 - spot.y) / spot.scale, (300 - larger.y) / larger.scale);
});

test("contained adds and never crops, covering crops and never adds", () => {
  const whole = planAt(PLAN, contained(PLAN));
  assert.deepEqual([croppedShare(whole), Math.round(addedShare(whole) * 100)], [0, 33]);
  const full = planAt(PLAN, covering(PLAN));
  assert.deepEqual([addedShare(full), full.feather], [0, 0]);
  assert.equal(Math.round(croppedShare(full) * 100), 33);
});

test("some of the picture stays in the frame, whatever is dragged", () => {
  const far = bounded(PLAN, { x: 99_999, y: -99_999, scale: 1 });
  assert.deepEqual([far.x, far.y], [1064, -384]);
  assert.ok(planAt(PLAN, far).place.every(Number.isInteger));
});

test("borders and middles pull", () => {
  assert.equal(snapped(PLAN, { x: 3, y: 0, scale: 1 }, 5).x, 0);
  assert.equal(snapped(PLAN, { x: 242, y: 0, scale: 1 }, 5).x, 240);
  assert.equal(snapped(PLAN, { x: 478, y: 0, scale: 1 }, 5).x, 480);
  assert.equal(snapped(PLAN, { x: 100, y: 0, scale: 1 }, 5).x, 100);
});

test("boxes of the source are found in the output, and cut ones are named", () => {
  assert.deepEqual(onOutput(PLAN, [0, 0, 1, 1]), [0, 180 / 1080, 1, 900 / 1080]);
  const right = planAt(PLAN, { x: -540, y: 180, scale: 1.8 });
  assert.deepEqual(
    cutBoxes(right, [
      [0, 0, 0.2, 0.2],
      [0.6, 0, 0.9, 1],
    ]),
    [0],
  );
});
