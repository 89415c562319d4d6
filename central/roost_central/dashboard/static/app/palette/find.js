/** What "go to" offers for what was typed: at most a few of each kind, what begins with it first. */
import { alarmsPath, nodePath, sitePath } from "../router.js";
import { viewAddress } from "../views/address.js";

export const EACH_MAX = 6; // of one kind: all kinds fit without scrolling on a laptop

/** @typedef {{id: string, title: string, detail: string, href: string}} Choice */

/**
 * @template T
 * @param {T[]} all
 * @param {string} word folded
 * @param {(one: T) => string} textOf
 * @param {number} most
 * @returns {T[]} what begins with the word, then what contains it
 */
function matching(all, word, textOf, most = EACH_MAX) {
  const first = [];
  const rest = [];
  for (const one of all) {
    const at = textOf(one).toLowerCase().indexOf(word);
    if (at === 0) first.push(one);
    else if (at > 0 && rest.length < most) rest.push(one);
    if (first.length === most) break;
  }
  return [...first, ...rest].slice(0, most);
}

/**
 * @param {string} text as typed
 * @param {{pages: string[][], sites: string[], views: any[], types: any[], nodes: any[]}} known
 * @returns {{title: string, choices: Choice[]}[]} groups that have any
 */
export function groupsFor(text, { pages, sites, views, types, nodes }) {
  const word = text.trim().toLowerCase();
  const groups = [
    ["Pages", matching(pages, word, ([, title]) => title, pages.length).map(([href, title]) => ({ href, title, detail: "" }))],
    ["Saved views", matching(views, word, (view) => view.name).map((view) => ({
      href: viewAddress(view), title: view.name, detail: view.page }))],
  ];
  if (word) {
    groups.push(["Sites", matching(sites, word, (site) => site).map((site) => ({
      href: sitePath(site), title: site, detail: "" }))]);
    groups.push(["Nodes", nodes.map(({ node }) => ({ href: nodePath(node), title: node, detail: "" }))]);
    groups.push(["Alarm types", matching(types, word, ({ type, name }) => `${name} ${type}`).map(({ type, name }) => ({
      href: alarmsPath(`type=${type}`), title: name, detail: type }))]);
  }
  let count = 0;
  return groups.filter(([, choices]) => choices.length).map(([title, choices]) => ({
    title, choices: choices.map((one) => ({ ...one, id: `to-${count++}` })),
  }));
}
