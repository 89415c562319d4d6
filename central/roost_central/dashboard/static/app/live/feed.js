/**
 * The one connection to the event stream, for every tab of this browser.
 *
 * A member joins with the position of its snapshot and gets all later frames: from the ring where
 * the feed is ahead, else from the server by Last-Event-ID. Who cannot be served without a hole
 * is told to `resync`, which is to fetch the snapshot and join again.
 *
 * Invariants: one request at a time; frames reach a member in order, each once; no member, no
 * request.
 */
import { EventStreamParser } from "./sse.js";

const RING_FRAMES = 256; // a minute of frames: longer than any tab takes to fetch a snapshot
const RETRY_MS_MIN = 1_000;
const RETRY_MS_MAX = 30_000;
const SILENCE_MS_MAX = 20_000; // the server sends a frame every 5 s; a dead line is given up here
const CONNECT_MS_MAX = 10_000;
const WATCH_MAX = 32; // sites watched by all tabs together, in one address

/**
 * @typedef {{epoch: string, n: number}} Position
 * @typedef {{deliver: (message: object) => void, watch: string[]}} Member
 */

export class Feed {
  constructor({ fetch = globalThis.fetch.bind(globalThis), random = Math.random } = {}) {
    this.fetch = fetch;
    this.random = random;
    /** @type {Set<Member>} */
    this.members = new Set();
    /** @type {Position|null} */
    this.position = null;
    /** @type {{n: number, message: object}[]} */
    this.ring = [];
    this.ringFrom = 0; // position after which the ring is whole
    this.attempt = 0;
    /** @type {object|null} the last word on alarms, for who joins later */
    this.alarms = null;
    /** @type {AbortController|null} */
    this.connection = null;
    this.state = { type: "state", state: "connecting", retryInMs: 0 };
  }

  /** @param {Member} member @param {Position} position of its snapshot */
  join(member, position) {
    this.members.add(member);
    if (this.position?.epoch === position.epoch && this.connection) {
      if (position.n < this.ringFrom) {
        this.leave(member);
        member.deliver({ type: "resync" });
        return;
      }
      for (const { n, message } of this.ring) if (n > position.n) member.deliver(message);
      if (this.alarms) member.deliver({ ...this.alarms, more: true }); // it may have missed some
      member.deliver(this.state);
      this.rewatch();
      return;
    }
    this.begin(position, member);
  }

  /** @param {Member} member @param {string[]} watch sites whose nodes it shows */
  watch(member, watch) {
    member.watch = watch;
    if (this.members.has(member)) this.rewatch();
  }

  /** @param {Member} member */
  leave(member) {
    this.members.delete(member);
    if (this.members.size === 0) this.stop();
  }

  /** Start from a position; members that stand elsewhere have to fetch again. */
  begin(position, member) {
    this.stop();
    this.position = position;
    this.ring = [];
    this.ringFrom = position.n;
    this.attempt = 0;
    for (const other of [...this.members]) {
      if (other === member) continue;
      this.members.delete(other);
      other.deliver({ type: "resync" });
    }
    this.connect();
  }

  stop() {
    this.connection?.abort();
    this.connection = null;
  }

  /** Connect again where the watched sites differ from those of the request in flight. */
  rewatch() {
    if (this.connection && this.watched().join() !== this.asked) this.connect();
  }

  watched() {
    const all = [...this.members].flatMap((member) => member.watch);
    return [...new Set(all)].sort().slice(0, WATCH_MAX);
  }

  async connect() {
    this.stop();
    const connection = new AbortController();
    this.connection = connection;
    while (!connection.signal.aborted) {
      this.tell("connecting");
      const ended = await this.read(connection.signal).catch(() => "lost");
      if (connection.signal.aborted) return;
      if (ended === "unauthorised" || ended === "resync") {
        this.dismiss(ended);
        return;
      }
      const bound = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.attempt, 10));
      const delay = RETRY_MS_MIN / 2 + this.random() * bound; // full jitter over a short floor
      this.attempt += 1;
      this.tell("offline", Math.round(delay));
      await new Promise((resolve) => { setTimeout(resolve, delay); });
    }
  }

  /** Read one answer to its end; return why it ended. */
  async read(signal) {
    const watched = this.watched();
    this.asked = watched.join();
    const limit = new AbortController();
    let timer = setTimeout(() => limit.abort(), CONNECT_MS_MAX);
    try {
      const response = await this.fetch(this.address(watched), {
        headers: { Accept: "text/event-stream", "Last-Event-ID": this.lastId() },
        cache: "no-store",
        signal: AbortSignal.any([signal, limit.signal]),
      });
      if (response.status === 401 || response.status === 403) return "unauthorised";
      if (!response.ok || !response.body) return "lost";
      let resync = false;
      const parser = new EventStreamParser((event) => {
        if (signal.aborted) return;
        if (event.type === "resync") resync = true;
        else if (event.type === "frame" && !resync) this.frame(event);
        else if (event.type === "alarms") this.alarmsChanged(event);
      });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        clearTimeout(timer);
        timer = setTimeout(() => limit.abort(), SILENCE_MS_MAX);
        const { done, value } = await reader.read();
        if (done) return "lost";
        parser.feed(value);
        if (resync) return "resync";
      }
    } finally {
      clearTimeout(timer);
      limit.abort();
    }
  }

  address(watched) {
    const params = new URLSearchParams({ epoch: this.position.epoch, alarms: "true" });
    if (watched.length) params.set("watch", watched.join(","));
    return `/api/v1/stream?${params}`;
  }

  lastId() {
    return `${this.position.epoch}-${this.position.n}`;
  }

  frame(event) {
    const cut = event.id.lastIndexOf("-");
    const n = Number(event.id.slice(cut + 1));
    const data = JSON.parse(event.data);
    const message = { type: "frame", epoch: event.id.slice(0, cut), n, ...data };
    this.position = { epoch: message.epoch, n };
    this.attempt = 0;
    this.state = { type: "state", state: "live", retryInMs: 0 };
    this.ring.push({ n, message });
    while (this.ring.length > RING_FRAMES) this.ringFrom = this.ring.shift().n;
    for (const member of this.members) member.deliver(message);
  }

  /** Alarms keep no position: who was away hears the counts again, and reads its list anew. */
  alarmsChanged(event) {
    this.alarms = { type: "alarms", ...JSON.parse(event.data) };
    for (const member of this.members) member.deliver(this.alarms);
  }

  tell(state, retryInMs = 0) {
    this.state = { type: "state", state, retryInMs };
    for (const member of this.members) member.deliver(this.state);
  }

  /** Let all members go: they come back with a new snapshot, or after a login. */
  dismiss(type) {
    this.stop();
    this.position = null;
    const gone = [...this.members];
    this.members.clear();
    for (const member of gone) member.deliver({ type });
  }
}
