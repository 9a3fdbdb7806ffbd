// The page's arithmetic and words, one part after the other.

import assert from "node:assert/strict";
import test from "node:test";
import { addressOf, runOf } from "../../../server/page/address.js";
import { grownBox, inPicture, movedBox, stretchedBox } from "../../../server/page/boxes.js";
import { parseEvent, readEvents } from "../../../server/page/events.js";
import { fromAddress } from "../../../server/page/picture.js";
import { editKey, makeRequests } from "../../../server/page/request.js";
import { layRows } from "../../../server/page/rows.js";
import { correct, corrected, namesOf, subjectsOf } from "../../../server/page/seen.js";
import { inServerOrder, parseRatio, parseSize, parseWish } from "../../../server/page/size.js";
import { createStore } from "../../../server/page/store.js";
import { fileSize, percent, planWords, progressWords } from "../../../server/page/words.js";
import { crc32 } from "../../../server/page/zip.js";

const STORY = {
  key: "meta/story",
  width: 1080,
  height: 1920,
  title: "Story",
  platform: "meta",
  preset: "meta/story",
  format: "jpeg",
  maxBytes: 9,
  keepClear: [],
};
const EXACT = parseSize("300x250");
const picture = (id, more = {}) => ({ id, name: `${id}.png`, url: null, protect: [], ...more });

test("sizes and ratios are read as people write them", () => {
  assert.equal(parseSize(" 1080 × 1350 ").key, "1080x1350");
  assert.equal(parseRatio("16:9", "2K").key, "2048x1152");
  assert.equal(parseRatio("9:16", "1K").key, "576x1024");
  assert.equal(parseWish("4:5", "1K").title, "4:5 at 1K");
  for (const wrong of ["7x100", "20000x900", "1200x100", "9000x9000", "x", "0x0"]) {
    assert.throws(() => parseSize(wrong), Error, wrong);
  }
  for (const wrong of ["12:1", "0:1", "1:0", ":"])
    assert.throws(() => parseRatio(wrong, "1K"), Error);
});

test("halves are rounded as the server rounds them", () => {
  assert.equal(parseRatio("1024:100.5", "1K").height, 100);
  assert.equal(parseRatio("1024:101.5", "1K").height, 102);
});

test("targets are numbered as the server numbers them", () => {
  assert.deepEqual(
    inServerOrder([STORY, EXACT]).map(({ key }) => key),
    ["300x250", "meta/story"],
  );
});

test("without wishes of their own all pictures and sizes share a run", () => {
  const [only, ...others] = makeRequests(
    [picture("a"), picture("b")],
    [STORY, EXACT],
    { seed: 4 },
    {},
  );
  assert.deepEqual(others, []);
  assert.deepEqual(only.input, { target_sizes: ["300x250"], presets: ["meta/story"], seed: 4 });
  assert.deepEqual(
    [only.pictures, only.files],
    [
      ["a", "b"],
      ["a", "b"],
    ],
  );
});

test("addresses come before files, as the server numbers its sources", () => {
  const [only] = makeRequests(
    [picture("a"), picture("b", { url: "https://x/b" })],
    [EXACT],
    {},
    {},
  );
  assert.deepEqual([only.pictures, only.files], [["b", "a"], ["a"]]);
  assert.equal(only.input.image_url, "https://x/b");
});

test("a plan made by hand is a run of its own that says nothing against the plan", () => {
  const plan = { target: [1080, 1920] };
  const edits = { [editKey("a", "meta/story")]: plan };
  const options = { policy: "crop", fill: "solid" };
  const requests = makeRequests([picture("a"), picture("b")], [STORY, EXACT], options, edits);
  const inputs = requests.map(({ input }) => input);
  assert.deepEqual(inputs[0], { target_sizes: ["300x250"], ...options });
  assert.deepEqual(inputs[1], { plan, output_format: "jpeg", max_bytes: 9, fill: "solid" });
  assert.deepEqual(inputs[2], { target_sizes: ["300x250"], presets: ["meta/story"], ...options });
});

test("pictures with other protected boxes are not mixed", () => {
  const boxed = picture("b", { protect: [[0, 0, 0.5, 0.5]] });
  const requests = makeRequests([picture("a"), boxed, picture("c")], [EXACT], {}, {});
  assert.deepEqual(
    requests.map(({ pictures }) => pictures),
    [["a", "c"], ["b"]],
  );
  assert.deepEqual(requests[1].input.protect, [[0, 0, 0.5, 0.5]]);
  const plan = { target: [3, 4] };
  const [own] = makeRequests([boxed], [EXACT], {}, { [editKey("b", EXACT.key)]: plan });
  assert.deepEqual(own.input, { plan, protect: [[0, 0, 0.5, 0.5]] });
});

test("rows are flush, keep every ratio, and never leave the room", () => {
  const ratios = [1, 0.8, 0.5625, 1.91, 1.2, 8.09, 0.27, 0.27, 1];
  const room = { width: 852, height: 290, gap: 22, least: 156 };
  const laid = layRows(ratios, room);
  for (const [number, { width, height, tile }] of laid.entries()) {
    assert.ok(Math.abs(width / height - ratios[number]) < 1e-6);
    assert.ok(tile <= room.width && width <= tile + 1e-6);
  }
  const last = Math.max(...laid.map(({ row }) => row));
  for (let row = 0; row < last; row += 1) {
    const tiles = laid.filter((each) => each.row === row);
    const taken = tiles.reduce((sum, { tile }) => sum + tile, room.gap * (tiles.length - 1));
    assert.ok(taken <= room.width + 0.01 && taken > room.width - 1, `row ${row}: ${taken}`);
  }
});

test("boxes stay in the picture and keep their size where they are moved", () => {
  assert.deepEqual(inPicture([0.9, 1.4, 0.2, -1]), [0.2, 0, 0.9, 1]);
  assert.deepEqual(movedBox([0.7, 0, 0.9, 0.2], 0.5, -0.5), [0.8, 0, 1, 0.2]);
  assert.deepEqual(grownBox([0.4, 0.4, 0.41, 0.41], -0.2), inPicture([0.6, 0.6, 0.21, 0.21]));
});

test("a corner moves alone, and past the other one turns the box over", () => {
  const box = [0.2, 0.2, 0.6, 0.6];
  assert.deepEqual(stretchedBox(box, 2, 3, 0.1, -0.1), [0.2, 0.2, 0.7, 0.5]);
  assert.deepEqual(stretchedBox(box, 0, 1, -0.5, 0.1), [0, 0.3, 0.6, 0.6]);
  assert.deepEqual(stretchedBox(box, 0, 3, 0.6, 0), [0.6, 0.2, 0.8, 0.6]);
});

const CUP = { box: [0.1, 0.1, 0.4, 0.4], label: "cup", weight: 0.7, trusted: false };
const HAND = { box: [0.7, 0.5, 1, 0.9], label: "hand" };

test("what was seen is corrected without changing what the server said", () => {
  const planned = { a: { composition: { subjects: [CUP, HAND] } } };
  assert.deepEqual(subjectsOf({ planned, corrections: {} }, "a"), [CUP, HAND]);
  assert.deepEqual(subjectsOf({ planned, corrections: {} }, "b"), []);
  const moved = correct([CUP, HAND], 0, [0.2, 0.1, 0.5, 0.4]);
  assert.deepEqual(moved[0], { ...CUP, box: [0.2, 0.1, 0.5, 0.4], trusted: true, by: "caller" });
  assert.deepEqual(subjectsOf({ planned, corrections: { a: [] } }, "a"), []);
  assert.deepEqual(correct([CUP, HAND], 0, null), [HAND]);
  assert.deepEqual(planned.a.composition.subjects, [CUP, HAND]);
});

test("no two subjects are called the same", () => {
  const names = namesOf([CUP, HAND, CUP, { label: "" }]);
  assert.deepEqual(names, ["Cup 1", "Hand", "Cup 2", "Subject"]);
});

test("an edge that cuts nobody any more is no cut, and any other stays one", () => {
  const seen = { scene: "a table", subjects: [CUP, HAND], cut_edges: ["right", "top"] };
  assert.equal(corrected(seen, undefined), seen);
  const without = corrected(seen, [CUP]);
  assert.deepEqual(without, { scene: "a table", subjects: [CUP], cut_edges: ["top"] });
  const both = corrected(seen, [CUP, { ...HAND, box: [0.8, 0.5, 0.995, 0.9] }]);
  assert.deepEqual(both.cut_edges, ["right", "top"]);
});

test("the address of a run is read as it is written, and nothing else is one", () => {
  const id = "01a1ff32-7289-7476-bc81-5ad1d3fe1812";
  assert.equal(runOf(addressOf(id)), id);
  for (const other of ["", "#stage", "#run/", "#run/a/b", `#run/${"a".repeat(65)}`]) {
    assert.equal(runOf(other), null);
  }
});

test("events are read across any cut in the stream", async () => {
  const text =
    ': ping\r\n\r\nevent: progress\r\ndata: {"percent": 5}\r\n\r\nevent: end\r\ndata: {"id": "ä"}\r\n\r\n';
  const bytes = new TextEncoder().encode(text);
  for (const step of [1, 2, 3, 7, bytes.length]) {
    const stream = new ReadableStream({
      start(control) {
        for (let at = 0; at < bytes.length; at += step) control.enqueue(bytes.slice(at, at + step));
        control.close();
      },
    });
    const seen = [];
    for await (const event of readEvents(stream)) seen.push(event);
    assert.deepEqual(seen, [
      { event: "progress", data: { percent: 5 } },
      { event: "end", data: { id: "ä" } },
    ]);
  }
  assert.equal(parseEvent(": only a comment"), null);
});

test("addresses are https or http, and give the picture its name", () => {
  assert.equal(fromAddress(" https://example.com/a/cup%20one.jpg?x=1 ").name, "cup one.jpg");
  for (const wrong of ["cup.jpg", "javascript:alert(1)", "file:///etc/passwd", ""]) {
    assert.throws(() => fromAddress(wrong), Error);
  }
});

test("a listener hears once of a change, and not of another's", () => {
  const store = createStore({ a: 1, b: 1, c: 1 });
  const heard = [];
  store.watch(["a", "b"], ({ a, b }) => heard.push([a, b]));
  store.set({ a: 2, b: 2 });
  store.set({ c: 2 });
  store.set({ a: 2 });
  assert.deepEqual(heard, [[2, 2]]);
});

test("numbers become words", () => {
  assert.deepEqual([percent(0), percent(0.004), percent(0.337)], ["0 %", "under 1 %", "34 %"]);
  assert.deepEqual(
    [fileSize(999), fileSize(150_000), fileSize(2_400_000)],
    ["999\u00a0B", "150\u00a0kB", "2.4\u00a0MB"],
  );
  const plan = { source: [2, 2], target: [4, 2], crop: [0, 0, 2, 2], place: [1, 0, 3, 2] };
  assert.equal(planWords(plan, 1.23, "sdxl"), "Added 50 %, cropped 0 %, about 1.2 s GPU");
  assert.equal(planWords(plan, 1.23, "preview"), "Added 50 %, cropped 0 %, about 1.2 s");
  const told = { status: "queued", position: 3, step: null, percent: 0 };
  assert.equal(progressWords(told), "Waiting, 3 ahead");
  const running = { status: "running", position: null, step: "outpaint", percent: 41.6 };
  assert.equal(progressWords(running), "Painting, 42 %");
});

test("the checksum is the usual one", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});
