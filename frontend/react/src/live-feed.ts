import type { Client, Connection, TaskUpdate } from "@darkroom/client";

/** `off`: nobody asked for the stream. */
export type FeedConnection = Connection | "off";

/** How long the stream outlives its last user, so that leaving a page for the next keeps it. */
const LINGER_MS = 1000;
/** How long nobody asks again where there were no streams. */
const REFUSED_FOR_MS = 60_000;
/** How long a tab that nobody sees keeps its stream: all tabs share six connections. */
const HIDDEN_MS = 60_000;

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
  /** The furthest place in the log that was told of: where a stream is taken up again. */
  #told: number | undefined;
  #refusedUntil = 0;
  #isAsleep = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #dozing: ReturnType<typeof setTimeout> | undefined;

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
    globalThis.document?.addEventListener("visibilitychange", this.#onVisibility);
    this.#onVisibility();
    return () => {
      this.#holders -= 1;
      if (this.#holders === 0) this.#lingering = setTimeout(() => this.#stop(), LINGER_MS);
    };
  };

  /** Begin anew at once: who asks is somebody else now, as when a session has begun or ended. */
  retry = (): void => {
    this.#refusedUntil = 0;
    this.#told = undefined;
    this.#drop();
    this.#begin();
  };

  /** How news come at the moment. */
  connection = (): FeedConnection => this.#connection;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #onVisibility = (): void => {
    clearTimeout(this.#dozing);
    if (globalThis.document?.visibilityState === "hidden") {
      this.#dozing = setTimeout(() => this.#sleep(), HIDDEN_MS);
    } else {
      this.#isAsleep = false;
    }
    this.#begin();
  };

  /** Open the stream where one is wanted; where it was refused, once its time has come. */
  #begin(): void {
    clearTimeout(this.#again);
    if (this.#holders === 0 || this.#stream !== undefined || this.#isAsleep) return;
    const waitMs = this.#refusedUntil - Date.now();
    if (waitMs > 0) this.#again = setTimeout(() => this.#begin(), waitMs);
    else void this.#run();
  }

  async #run(): Promise<void> {
    const stream = new AbortController();
    const isCurrent = () => this.#stream === stream;
    this.#stream = stream;
    const onConnection = (connection: Connection) => {
      if (isCurrent()) this.#move(connection);
    };
    try {
      // Polling is the hooks' own: they know what is worth asking for.
      const updates = this.#client.followAll({
        signal: stream.signal,
        after: this.#told,
        onConnection,
        poll: false,
      });
      for await (const update of updates) {
        if (!isCurrent()) return;
        if (update.event === "task") {
          this.#told = Math.max(this.#told ?? 0, update.task.sequence);
        }
        this.#onUpdate(update);
      }
    } catch {
      // There are no streams here, or none for us: the hooks poll.
    }
    if (!isCurrent()) return;
    this.#stream = undefined;
    this.#refusedUntil = Date.now() + REFUSED_FOR_MS;
    this.#move("offline");
    this.#begin();
  }

  #sleep(): void {
    this.#isAsleep = true;
    this.#drop();
    this.#move("offline");
  }

  #stop(): void {
    globalThis.document?.removeEventListener("visibilitychange", this.#onVisibility);
    clearTimeout(this.#dozing);
    this.#isAsleep = false;
    this.#told = undefined;
    this.#drop();
    this.#move("off");
  }

  #drop(): void {
    clearTimeout(this.#again);
    this.#stream?.abort();
    this.#stream = undefined;
  }

  #move(connection: FeedConnection): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.#onConnection(connection);
    for (const listener of this.#listeners) listener();
  }
}
