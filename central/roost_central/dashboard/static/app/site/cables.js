/** Where boxes and cables of a topology are drawn: devices above, nodes below, what joins nodes under them. Pure. */

export const BOX = { width: 150, height: 44 };
const SLOT = 54; // of one cable at a box: room for the name of its port
const GAP = 28;
const EDGE = 16;
const MIDDLE = 110; // between the two rows
const UNDER = 26; // of one cable between nodes

/**
 * @param {{nodes: any[], devices: any[], cables: any[]}} value
 * @returns {{width: number, height: number, boxes: {key: string, kind: string, x: number, y: number, width: number,
 *   name: string, what: string}[], lines: {key: string, path: string, isSure: boolean,
 *   labels: {x: number, y: number, text: string}[]}[]}}
 */
export function arrange({ nodes, devices, cables }) {
  const up = cables.filter((cable) => cable.peer_kind === "device");
  const across = cables.filter((cable) => cable.peer_kind === "node");
  const ends = (key) => up.filter((cable) => cable.node === key || cable.peer === key);
  const top = row(devices.map((device) => ({
    key: device.device, kind: "device", name: device.name || device.device, what: device.capabilities.join(", ") || device.description,
    slots: ends(device.device).length,
  })), EDGE);
  const bottom = row(nodes.map((node) => ({
    key: node.node, kind: "node", name: node.name, what: node.missing ? `does not tell: ${node.missing}` : node.presence,
    slots: Math.max(ends(node.node).length, across.filter((cable) => cable.node === node.node || cable.peer === node.node).length),
  })), devices.length ? EDGE + BOX.height + MIDDLE : EDGE);
  const width = Math.max(top.width, bottom.width);
  centre(top, width);
  centre(bottom, width);
  const boxes = new Map([...top.boxes, ...bottom.boxes].map((box) => [box.key, box]));
  const used = new Map();
  const slot = (key, side, all) => {
    const box = boxes.get(key);
    const at = used.get(key + side) ?? 0;
    used.set(key + side, at + 1);
    return box.x + (box.width * (at + 0.5)) / Math.max(all, 1);
  };
  const lines = up.map((cable) => {
    const [from, to] = [boxes.get(cable.node), boxes.get(cable.peer)];
    const x1 = slot(cable.node, "up", ends(cable.node).length);
    const x2 = slot(cable.peer, "down", ends(cable.peer).length);
    const [y1, y2] = [from.y, to.y + BOX.height];
    return line(cable, `M${x1} ${y1} C${x1} ${y1 - MIDDLE / 2} ${x2} ${y2 + MIDDLE / 2} ${x2} ${y2}`,
      [{ x: x1, y: y1 - 6, text: cable.port }, { x: x2, y: y2 + 14, text: cable.peer_port }]);
  });
  const floor = bottom.y + BOX.height;
  across.forEach((cable, at) => {
    const of = (key) => across.filter((each) => each.node === key || each.peer === key).length;
    const x1 = slot(cable.node, "under", of(cable.node));
    const x2 = slot(cable.peer, "under", of(cable.peer));
    const deep = floor + UNDER * (at + 1);
    lines.push(line(cable, `M${x1} ${floor} V${deep} H${x2} V${floor}`,
      [{ x: x1, y: floor + 14, text: cable.port }, { x: x2, y: floor + 14, text: cable.peer_port }]));
  });
  const height = floor + UNDER * across.length + EDGE;
  return { width, height, boxes: [...boxes.values()], lines };
}

/** A name that fits. */
export const begin = (text, most) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

/** A port that fits; its end tells ports apart, so that stays. */
export function short(text, most = 8) {
  return text.length <= most ? text : `…${text.slice(1 - most)}`;
}

function line(cable, path, labels) {
  return { key: `${cable.node} ${cable.port} ${cable.peer} ${cable.peer_port}`, path, isSure: cable.told_by === "both", labels };
}

function row(all, y) {
  let x = EDGE;
  const boxes = all.map(({ slots, ...box }) => {
    const placed = { ...box, x, y, width: Math.max(BOX.width, slots * SLOT) };
    x += placed.width + GAP;
    return placed;
  });
  return { boxes, y, width: x - GAP + EDGE };
}

function centre(placed, width) {
  for (const box of placed.boxes) box.x += (width - placed.width) / 2;
}
