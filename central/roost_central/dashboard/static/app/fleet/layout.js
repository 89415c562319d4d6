/**
 * Where each cell of the heat grid stands: pure geometry in CSS pixels.
 *
 * Groups are blocks in rows, in their order; cells fill a block line by line.
 */

const HEADING = 20;
const GAP = 12;
const BLOCK_WIDTH = 210; // about what a group's name and counts need
const PITCHES = [30, 26, 22, 18, 15, 13, 11, 10, 9, 8]; // below the last a shape can not be told from another
export const PITCH_TOUCHED = 15; // the least that a thumb hits: the grid then scrolls

/**
 * @typedef {{x: number, y: number, perLine: number, from: number, count: number, lines: number}} Block
 * @typedef {{blocks: Block[], pitch: number, width: number, height: number, cells: Int32Array}} Layout
 */

/**
 * @param {{positions: number[]}[]} groups
 * @param {number} width
 * @param {number} height what is in view; the largest cells that fit it are taken
 * @param {number} [least] no smaller cells than this, though they do not fit
 * @returns {Layout} `cells` holds the position shown at each index, group after group
 */
export function layOut(groups, width, height, least = 0) {
  let layout;
  for (const pitch of PITCHES) {
    layout = atPitch(groups, width, pitch);
    if (layout.height <= height || pitch <= least) break;
  }
  const cells = new Int32Array(groups.reduce((sum, group) => sum + group.positions.length, 0));
  groups.forEach((group, index) => cells.set(group.positions, layout.blocks[index].from));
  return { ...layout, cells };
}

function atPitch(groups, width, pitch) {
  const fitting = Math.max(1, Math.floor((width + GAP) / (BLOCK_WIDTH + GAP)));
  const columns = Math.max(1, Math.min(fitting, groups.length));
  const blockWidth = (width + GAP) / columns - GAP;
  const perLine = Math.max(1, Math.floor(blockWidth / pitch));
  const blocks = [];
  let [top, tallest, from] = [0, 0, 0];
  groups.forEach((group, index) => {
    const column = index % columns;
    if (column === 0 && index > 0) [top, tallest] = [top + tallest + GAP, 0];
    const count = group.positions.length;
    const lines = Math.ceil(count / perLine);
    blocks.push({
      x: Math.round(column * (blockWidth + GAP)), y: top + HEADING, perLine, from, count, lines,
    });
    from += count;
    tallest = Math.max(tallest, HEADING + lines * pitch);
  });
  return { blocks, pitch, width, height: top + tallest };
}

/** @returns {{x: number, y: number}|null} the corner of a cell */
export function cellAt(layout, index) {
  const block = layout.blocks.find((b) => index >= b.from && index < b.from + b.count);
  if (!block) return null;
  const inside = index - block.from;
  return {
    x: block.x + (inside % block.perLine) * layout.pitch,
    y: block.y + Math.floor(inside / block.perLine) * layout.pitch,
  };
}

/** @returns {number} the index of the cell under a point, -1 for none */
export function hit(layout, x, y) {
  for (const block of layout.blocks) {
    const column = Math.floor((x - block.x) / layout.pitch);
    const line = Math.floor((y - block.y) / layout.pitch);
    if (column < 0 || column >= block.perLine || line < 0 || line >= block.lines) continue;
    const inside = line * block.perLine + column;
    if (inside < block.count) return block.from + inside;
  }
  return -1;
}

/**
 * Where an arrow key leads from a cell: along the line, or to the next cell above or below, over
 * the gaps between blocks.
 * @param {Layout} layout
 * @param {number} index
 * @param {string} key
 */
export function step(layout, index, key) {
  const last = layout.cells.length - 1;
  if (key === "Home") return 0;
  if (key === "End") return last;
  if (key === "ArrowLeft") return Math.max(0, index - 1);
  if (key === "ArrowRight") return Math.min(last, index + 1);
  const direction = { ArrowUp: -1, ArrowDown: 1 }[key];
  const corner = cellAt(layout, index);
  if (!direction || !corner) return index;
  const x = corner.x + layout.pitch / 2;
  let y = corner.y + layout.pitch / 2 + direction * layout.pitch;
  for (; y > 0 && y < layout.height; y += direction * (layout.pitch / 2)) {
    const found = hit(layout, x, y);
    if (found >= 0) return found;
  }
  return index;
}
