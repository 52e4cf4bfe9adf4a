/** A request as the gateway would see it. */
export interface Call {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: unknown;
}

export type Answering = (call: Call, nth: number) => Response | Promise<Response>;

/** A `fetch` whose other end is a function; what it throws is a failure of the network. */
export function fakeFetch(answering: Answering): { fetch: typeof fetch; calls: Call[] } {
  const calls: Call[] = [];
  async function fetch(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
    const { pathname, search } = new URL(String(input), "http://gateway.test");
    const { method = "GET", body } = init;
    const call = { method, path: pathname + search, headers: new Headers(init.headers), body };
    init.signal?.throwIfAborted();
    calls.push(call);
    return new Promise((resolve, reject) => {
      init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      Promise.resolve()
        .then(() => answering(call, calls.length))
        .then(resolve, reject);
    });
  }
  return { fetch, calls };
}

/** One answer after the other; the last one again and again. */
export function inTurn(...answers: (() => Response)[]): Answering {
  return (_, nth) => (answers[Math.min(nth, answers.length) - 1] as () => Response)();
}

/** What `fetch` rejects with when nobody answers. */
export function unreachable(): never {
  throw new TypeError("fetch failed");
}
