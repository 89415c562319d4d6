/** Switching a type of alarm off: with a reason, for all sites or those of a filter. */
import { html } from "../html.js";
import { request } from "../api.js";
import { HOURS } from "../alarms/acts.js";
import { AskDialog } from "../shell/ask.js";
import { CopyLine, shellWord } from "../shell/copy.js";

const FOR = [["", "until it is ended"], ...HOURS];

/** @param {{type: string, types?: {type: string, name: string}[], onDone: () => void, onClose: () => void}} given */
export function SuppressDialog({ type, types = [], onDone, onClose }) {
  const fields = [
    type ? { name: "type", label: "Type", value: type, required: true }
      : { name: "type", label: "Type", value: types[0]?.type,
        choices: types.map((row) => [row.type, `${row.type} ${row.name}`]) },
    { name: "filter", label: "Only where (a filter; empty is everywhere)" },
    { name: "for_s", label: "For", choices: FOR, value: "" },
    { name: "reason", label: "Reason", required: true },
  ];
  const send = async (values) => {
    await request("/suppressions", { method: "POST", body: {
      type: values.type, reason: values.reason,
      ...(values.filter ? { filter: values.filter } : {}), ...(values.for_s ? { for_s: Number(values.for_s) } : {}),
    } });
    onDone();
  };
  const line = (values) => ["roost alarm suppress", values.type, values.filter && `-q ${shellWord(values.filter)}`,
    values.for_s && `--for ${values.for_s}s`, values.reason && `-m ${shellWord(values.reason)}`].filter(Boolean).join(" ");
  return html`<${AskDialog} title="Suppress a type" button="Suppress" fields=${fields} onSend=${send} onClose=${onClose}
    hint="Its alarms are still taken in and kept; they only leave the list, the counts and what is sent on.">
    ${(values) => html`<${CopyLine} text=${line(values)} />`}</${AskDialog}>`;
}
