/**
 * Server-sent events out of a byte stream (the event stream format of the HTML standard).
 *
 * EventSource is not used: it cannot send Last-Event-ID on its first connection, it forgets it
 * when it is made anew, and it does not tell a refused login from a broken line.
 */

const BUFFER_CHARS_MAX = 4 << 20; // a frame is bounded by the server to 1 MiB

export class EventStreamParser {
  /** @param {(event: {id: string, type: string, data: string}) => void} deliver */
  constructor(deliver) {
    this.deliver = deliver;
    this.rest = "";
    this.id = "";
    this.type = "";
    /** @type {string[]} */
    this.data = [];
  }

  /** @param {string} chunk of decoded text; lines may be cut anywhere */
  feed(chunk) {
    const text = this.rest + chunk;
    if (text.length > BUFFER_CHARS_MAX) throw new RangeError("an event passes the buffer's bound");
    // A CR at the end may be half of a CRLF, so it waits for what follows.
    const whole = text.endsWith("\r") ? text.slice(0, -1) : text;
    const lines = whole.split(/\r\n|\n|\r/);
    this.rest = lines.pop() + text.slice(whole.length);
    for (const line of lines) this.line(line);
  }

  line(line) {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return undefined; // a comment keeps the line open
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "event") this.type = value;
    else if (field === "id") this.id = value;
    return undefined;
  }

  dispatch() {
    if (this.data.length) {
      this.deliver({ id: this.id, type: this.type || "message", data: this.data.join("\n") });
    }
    this.type = "";
    this.data = [];
  }
}
