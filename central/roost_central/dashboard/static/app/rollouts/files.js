/** The files of profiles that a plan names: chosen here, read here, sent with the plan. */
import { html } from "../html.js";
import { bytes } from "../node/humanise.js";

const FILES_MAX = 64; // of one plan, as the centre has it
const FILE_BYTES_MAX = 1 << 20; // far beyond any profile: a wrong file is said here, not read

/**
 * Read files as text.
 *
 * @param {FileList} chosen
 * @returns {Promise<{file: string, source: string}[]>}
 * @throws {Error} one of them is no profile, in a sentence
 */
export async function readFiles(chosen) {
  const found = [];
  for (const each of chosen) {
    if (each.size > FILE_BYTES_MAX) throw new Error(`${each.name} has ${bytes(each.size)}: a profile has at most ${bytes(FILE_BYTES_MAX)}`);
    let source;
    try {
      source = new TextDecoder("utf-8", { fatal: true }).decode(await each.arrayBuffer());
    } catch {
      throw new Error(`${each.name} is no text in UTF-8: choose the profile's .toml file`);
    }
    found.push({ file: each.name, source });
  }
  return found;
}

/** Put files beside those that are there; one of the same name takes its place. */
export function joined(before, more) {
  const names = new Set(more.map((each) => each.file));
  const after = [...before.filter((each) => !names.has(each.file)), ...more];
  if (after.length > FILES_MAX) throw new Error(`a plan has at most ${FILES_MAX} files of profiles`);
  return after;
}

/** Files as the plan names them: `profiles = ["north/ntp.toml"]` means the file ntp.toml. */
export function asNamed(plan, files) {
  const named = [...plan.matchAll(/["']([^"'\n]+)["']/g)].map((each) => each[1]);
  return files.map(({ file, source }) => ({
    file: named.find((each) => each === file || each.endsWith(`/${file}`)) ?? file, source,
  }));
}

/** What a plan of these files may begin with. */
export const planOf = (files) => `name = "${files[0].file.replace(/\.toml$/, "").replace(/["\\]/g, " ")}"
profiles = [${files.map((each) => JSON.stringify(each.file)).join(", ")}]
approvers = 0
`;

export function Files({ files, onAdd, onRemove, busy }) {
  return html`<div class="files"><label class="block">Files of profiles that the plan names
      <input type="file" multiple accept=".toml,application/toml,text/plain" disabled=${busy} aria-describedby="files-hint"
        onChange=${(event) => { onAdd([...event.currentTarget.files]); event.currentTarget.value = ""; }} /></label>
    <p class="quiet" id="files-hint">For a plan of profiles alone: at most ${FILES_MAX}, as they were reviewed. They go to the centre with the plan and nowhere else.</p>
    ${files.length > 0 && html`<ul aria-label="Files that are sent">${files.map((each) => html`<li key=${each.file}><span class="code">${each.file}</span>${" "}
      <small>${bytes(new Blob([each.source]).size)}</small>${" "}
      <button type="button" disabled=${busy} aria-label=${`Leave out ${each.file}`} onClick=${() => onRemove(each.file)}>Leave out</button></li>`)}</ul>`}</div>`;
}
