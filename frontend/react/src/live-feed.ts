import type { Client, Connection, TaskUpdate } from "@darkroom/client";

/** `off`: nobody asked for the stream. */
export type FeedConnection = Connection | "off";

/** How long the stream outlives its last user, so that leaving a page for the next keeps it. */
const LINGER_MS = 1000;
/** How long nobody asks again where there were no streams. */
const REFUSED_FOR_MS = 60_000;

/**
 * The one event stream of a tab, open while anybody holds it. A browser allows six connections to
 * a host; one for each hook would leave none for the rest.
 */
export class LiveFeed {
  readonly #client: Client;
  readonly #onUpdate: (update: TaskUpdate) => void;
  readonly #onConnection: (connection: FeedConnection) => void;
  readonly #listeners = new Set<() => void>();
  #connection: FeedConnection = "off";
  #holders = 0;
  #stream: AbortController | undefined;
  #refusedUntil = 0;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(
    client: Client,
    onUpdate: (update: TaskUpdate) => void,
    onConnection: (connection: FeedConnection) => void,
  ) {
    this.#client = client;
    this.#onUpdate = onUpdate;
    this.#onConnection = onConnection;
  }

  /** Keep the stream open; call what is returned to let go. */
  hold = (): (() => void) => {
    this.#holders += 1;
    clearTimeout(this.#lingering);
    if (this.#stream === undefined && Date.now() >= this.#refusedUntil) void this.#run();
    return () => {
      this.#holders -= 1;
      if (this.#holders === 0) this.#lingering = setTimeout(() => this.#stop(), LINGER_MS);
    };
  };

  /** How news come at the moment. */
  connection = (): FeedConnection => this.#connection;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async #run(): Promise<void> {
    const stream = new AbortController();
    this.#stream = stream;
    const onConnection = (connection: Connection) => this.#move(connection);
    try {
      // Polling is the hooks' own: they know what is worth asking for.
      const updates = this.#client.followAll({ signal: stream.signal, onConnection, poll: false });
      for await (const update of updates) this.#onUpdate(update);
    } catch {
      // There are no streams here, or none for us: the hooks poll.
      this.#stream = undefined;
      this.#refusedUntil = Date.now() + REFUSED_FOR_MS;
      this.#move("offline");
    }
  }

  #stop(): void {
    this.#stream?.abort();
    this.#stream = undefined;
    this.#move("off");
  }

  #move(connection: FeedConnection): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.#onConnection(connection);
    for (const listener of this.#listeners) listener();
  }
}
