import { backoffMs, pause } from "./backoff.ts";
import { AnswerError, errorOf, isTransient, NetworkError, ProblemError } from "./errors.ts";

/** Where the gateway is, and how it is spoken to. */
export interface ClientOptions {
  /** The gateway's address; by default the page's own origin. */
  readonly baseUrl?: string;
  /** A key of `DARKROOM_API_KEYS`, for servers and scripts. Never ship one to a browser. */
  readonly apiKey?: string;
  /** A token, or a function that gives the current one; asked before every request. */
  readonly token?: string | (() => string | undefined | Promise<string | undefined>);
  /** By default the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** How often a request that may be repeated is sent again after a failure of the network; 3. */
  readonly retries?: number;
  /** How long an answer may take; 30,000. */
  readonly timeoutMs?: number;
}

/** What every call takes. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** In place of the client's own `retries`. */
  readonly retries?: number | undefined;
}

/** A request to the gateway. */
export interface Ask extends CallOptions {
  readonly method?: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
  /** How much longer than usual the answer may take. */
  readonly holdMs?: number;
}

const LONGEST_RETRY_AFTER_S = 10;

/** The way to one gateway. */
export class Wire {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** The address of a path. */
  url(path: string, query: Ask["query"] = {}): string {
    const told = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(told.map(([name, value]) => [name, String(value)]));
    const base = (this.#options.baseUrl ?? "").replace(/\/+$/, "");
    return `${base}${path}${told.length > 0 ? `?${search}` : ""}`;
  }

  /** The headers that say who asks. */
  async credential(): Promise<Record<string, string>> {
    const { apiKey, token } = this.#options;
    const bearer = (typeof token === "function" ? await token() : token) ?? apiKey;
    return bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` };
  }

  /** The JSON of the answer; asked again after what is transient. */
  async json<Answer>(path: string, ask: Ask = {}): Promise<Answer> {
    const retries = ask.retries ?? this.#options.retries ?? 3;
    for (let failures = 1; ; failures += 1) {
      try {
        return await this.#once<Answer>(path, ask);
      } catch (error) {
        const askedMs = retryAfterMs(error);
        if (failures > retries || !isTransient(error) || askedMs > LONGEST_RETRY_AFTER_S * 1000) {
          throw error;
        }
        await pause(Math.max(askedMs, backoffMs(failures, Math.random())), ask.signal);
      }
    }
  }

  /** An answer whose body is still to be read. Rejects with `NetworkError` when there is none. */
  async open(path: string, ask: Ask, signal: AbortSignal): Promise<Response> {
    const { fetch = globalThis.fetch } = this.#options;
    const headers = { ...(await this.credential()), ...ask.headers };
    try {
      return await fetch(this.url(path, ask.query), {
        method: ask.method ?? "GET",
        headers,
        signal,
        ...(ask.body === undefined ? {} : { body: ask.body }),
      });
    } catch (error) {
      throw networkError(error);
    }
  }

  async #once<Answer>(path: string, ask: Ask): Promise<Answer> {
    const { timeoutMs = 30_000 } = this.#options;
    const deadline = linked(ask.signal);
    const late = new NetworkError("There was no answer in time.");
    const timer = setTimeout(() => deadline.abort(late), timeoutMs + (ask.holdMs ?? 0));
    try {
      const response = await this.open(path, ask, deadline.signal);
      const text = await response.text().catch((error: unknown) => {
        throw networkError(error);
      });
      return answerOf<Answer>(response.status, text, response.headers.get("Retry-After"));
    } catch (error) {
      // An aborted fetch rejects in as many ways as there are engines: what aborted it is known.
      throw deadline.signal.aborted ? deadline.signal.reason : error;
    } finally {
      clearTimeout(timer);
      deadline.unlink();
    }
  }
}

/** What an answer says: its JSON, or its error. */
export function answerOf<Answer>(status: number, text: string, retryAfter: string | null): Answer {
  if (status < 200 || status > 299) throw errorOf(status, text, retryAfter);
  if (text === "") return undefined as Answer;
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw new AnswerError(status, "The answer is not JSON, so not from Darkroom.");
  }
}

/** An `AbortController` that another signal aborts too. */
export function linked(signal: AbortSignal | undefined): Linked {
  const controller = new AbortController();
  const follow = () => controller.abort(signal?.reason);
  if (signal?.aborted) follow();
  else signal?.addEventListener("abort", follow);
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    unlink: () => signal?.removeEventListener("abort", follow),
  };
}

interface Linked {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Let go of the other signal, which may outlive many requests. */
  unlink(): void;
}

function networkError(cause: unknown): NetworkError {
  return new NetworkError("Darkroom can't be reached. Is the network there?", { cause });
}

function retryAfterMs(error: unknown): number {
  return error instanceof ProblemError ? (error.retryAfterS ?? 0) * 1000 : 0;
}
