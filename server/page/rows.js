// @ts-check
/** Pictures of all ratios in rows of one height that end flush. Pure. */

/** @typedef {{width: number, height: number, gap: number, least: number}} Room */

/** A row this much higher than wanted is left ragged instead. */
const TALLEST = 1.9;

/**
 * The size of each frame and tile, px. A tile is at least `least` wide, for its caption. The
 * breaks are those that leave the rows nearest to the wanted height.
 * @param {number[]} ratios width over height
 * @param {Room} room
 * @returns {{tile: number, width: number, height: number, row: number}[]}
 */
export function layRows(ratios, room) {
  /** @type {{cost: number, from: number}[]} */
  const best = [{ cost: 0, from: 0 }];
  for (let end = 1; end <= ratios.length; end += 1) {
    best[end] = { cost: Infinity, from: end - 1 };
    for (let from = 0; from < end; from += 1) {
      const row = ratios.slice(from, end);
      const cost = best[from].cost + strain(row, end === ratios.length, room);
      if (cost < best[end].cost) best[end] = { cost, from };
    }
  }
  const rows = [];
  for (let end = ratios.length; end > 0; end = best[end].from) {
    rows.unshift(ratios.slice(best[end].from, end));
  }
  return rows.flatMap((row, number) => fill(row, number, rows.length, room));
}

/**
 * How far a row is from the wanted height; the last one may end early.
 * @param {number[]} row
 * @param {boolean} last
 * @param {Room} room
 */
function strain(row, last, room) {
  const off = Math.log(solve(row, room) / room.height);
  if (off > 0 && last) return 0.05;
  return off * off * (off < 0 ? 2.5 : 1);
}

/**
 * @param {number[]} row
 * @param {number} number
 * @param {number} count
 * @param {Room} room
 */
function fill(row, number, count, room) {
  const fits = solve(row, room);
  const last = number === count - 1;
  const ragged = last || fits > room.height * TALLEST;
  const height = ragged ? Math.min(fits, room.height) : fits;
  return row.map((ratio) => {
    const width = Math.min(room.width, ratio * height);
    const tile = Math.min(room.width, Math.max(room.least, width));
    return { tile, width, height: width / ratio, row: number };
  });
}

/**
 * The height at which the row is exactly as wide as the room.
 * @param {number[]} row
 * @param {Room} room
 */
function solve(row, room) {
  let [low, high] = [1, room.height * 4];
  for (let step = 0; step < 40; step += 1) {
    const middle = (low + high) / 2;
    if (taken(row, middle, room) > room.width) high = middle;
    else low = middle;
  }
  return low;
}

/**
 * @param {number[]} row
 * @param {number} height
 * @param {{gap: number, least: number}} room
 */
function taken(row, height, { gap, least }) {
  const tiles = row.reduce((sum, ratio) => sum + Math.max(least, ratio * height), 0);
  return tiles + gap * (row.length - 1);
}
