/** What the nodes of a site are plugged into: a picture, and the same as a table. */
import { html } from "../html.js";
import { useFetched } from "../fetched.js";
import { nodePath } from "../router.js";
import { PRESENCES } from "../status.js";
import { Time } from "../time.js";
import { Problem } from "../shell/failure.js";
import { arrange, begin, BOX, short } from "./cables.js";

export function TopologySection({ site, asOf }) {
  const { value, error } = useFetched(`/sites/${encodeURIComponent(site)}/topology`, asOf);
  return html`<section class="topology"><h2>Topology <small>by LLDP, as the nodes heard it</small></h2>
    ${error && !value ? html`<${Problem} error=${error} />`
    : value ? html`<${Topology} value=${value} />` : html`<p class="empty">Reading…</p>`}</section>`;
}

function Topology({ value }) {
  const silent = value.nodes.filter((node) => node.missing);
  return html`${value.cables.length
    ? html`<${Picture} value=${value} /><${CableTable} value=${value} />`
    : html`<p class="empty">${value.nodes.length ? "No neighbour was heard." : "The site has no nodes."}</p>`}
    ${silent.length > 0 && html`<p class="quiet">Tells no neighbours: ${silent.map((node, at) => html`${at > 0 && ", "}<a
      href=${nodePath(node.node)}>${node.name}</a> <span class="reason">${node.missing}</span>`)}. A node listens where its${" "}
      <code>roost-lldp.timer</code> runs.</p>`}`;
}

/** The picture says nothing that the table does not: to a reader of the page it is one image. */
function Picture({ value }) {
  const { width, height, boxes, lines } = arrange(value);
  const count = `${value.cables.length} cable${value.cables.length === 1 ? "" : "s"}`;
  return html`<div class="scroll"><svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="img"
      aria-labelledby="topology-title topology-desc">
    <title id="topology-title">Topology of ${value.site}</title>
    <desc id="topology-desc">${count} between ${value.nodes.length} nodes and ${value.devices.length} other devices;
      the table below has each.</desc>
    ${lines.map((line) => html`<g key=${line.key}><path d=${line.path} class=${line.isSure ? "cable sure" : "cable"} />
      ${line.labels.map(({ x, y, text }, at) => html`<text key=${at} x=${x} y=${y} class="port">${short(text)}</text>`)}</g>`)}
    ${boxes.map((box) => html`<g key=${box.key} class=${box.kind}><rect x=${box.x} y=${box.y} width=${box.width}
      height=${BOX.height} rx="6" /><text x=${box.x + box.width / 2} y=${box.y + 18} class="name">${begin(box.name, 18)}</text>
      <text x=${box.x + box.width / 2} y=${box.y + 34} class="what">${begin(box.what, 24)}</text></g>`)}</svg></div>`;
}

function CableTable({ value }) {
  const devices = new Map(value.devices.map((device) => [device.device, device]));
  const nodes = new Map(value.nodes.map((node) => [node.node, node]));
  return html`<div class="scroll"><table class="plain stack"><thead><tr><th scope="col">Node</th><th scope="col">Port</th>
    <th scope="col">To</th><th scope="col">Its port</th><th scope="col">VLANs</th><th scope="col">Told by</th>
    <th scope="col">As of</th></tr></thead>
    <tbody>${value.cables.map((cable) => html`<tr key=${`${cable.node} ${cable.port} ${cable.peer} ${cable.peer_port}`}>
      <th scope="row"><a href=${nodePath(cable.node)}>${nodes.get(cable.node)?.name ?? cable.node}</a></th>
      <td data-title="Port">${cable.port}${cable.speed_mbps !== null && html` <small>${speed(cable.speed_mbps)}</small>`}</td>
      <td data-title="To"><${Peer} cable=${cable} device=${devices.get(cable.peer)} node=${nodes.get(cable.peer)} /></td>
      <td data-title="Its port">${cable.peer_port} ${cable.peer_port_description
        && cable.peer_port_description !== cable.peer_port && html`<small>${cable.peer_port_description}</small>`}</td>
      <td data-title="VLANs">${vlans(cable)}</td>
      <td data-title="Told by">${cable.told_by === "both" ? "both ends" : "one end"}</td>
      <td data-title="As of"><${Time} at=${nodes.get(cable.node)?.as_of} /></td></tr>`)}</tbody></table></div>`;
}

function Peer({ cable, device, node }) {
  if (node) return html`<a href=${nodePath(cable.peer)}>${node.name}</a> <small>${PRESENCES[node.presence]?.label ?? node.presence}</small>`;
  const said = [...(device?.capabilities ?? []), device?.description, ...(device?.addresses ?? [])].filter(Boolean).join(" · ");
  return html`${device?.name || cable.peer} <small>${device?.name ? `${cable.peer}${said && " · "}` : ""}${said}</small>`;
}

const speed = (mbps) => (mbps >= 1000 && mbps % 1000 === 0 ? `${mbps / 1000} Gbit/s` : `${mbps} Mbit/s`);

function vlans({ pvid, vlans: named }) {
  const own = pvid === null ? [] : [`${pvid} untagged`];
  return [...own, ...named.filter((each) => each.split(" ")[0] !== String(pvid))].join(", ") || "–";
}
