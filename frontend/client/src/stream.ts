import { AnswerError, errorOf, NetworkError } from "./errors.ts";
import { linked, type Wire } from "./http.ts";
import { createSseParser, type SseMessage } from "./sse.ts";

/** Where a stream is, over all of its connections. */
export interface Place {
  /** Sent as `Last-Event-ID`; empty for a snapshot. */
  cursor: string;
  /** How long the server wants to be left alone after a cut. */
  retryMs: number | undefined;
  /** Whether the last connection brought anything, be it a ping. */
  heard: boolean;
  /** There is nothing to come after the cursor. */
  ended: boolean;
}

/** Three pings missed: the connection is dead, whatever the operating system believes. */
const SILENCE_MS = 45_000;
/** A gateway says something at once. */
const FIRST_MS = 10_000;

/** Streams can't be had here: the route, the platform or something in between has none. */
export class Unstreamable extends AnswerError {}

/** It was answered, but nothing came: something in between holds the stream back. */
export class HeldBack extends NetworkError {}

/** One connection: `open`, then its messages until it ends. Moves the place as it goes. */
export async function* connection(
  wire: Wire,
  path: string,
  query: Record<string, string | undefined>,
  place: Place,
  signal: AbortSignal | undefined,
): AsyncGenerator<"open" | SseMessage> {
  place.heard = false;
  const link = linked(signal);
  const silent = () => link.abort(new NetworkError("The stream has gone silent."));
  const heldBack = () => link.abort(new HeldBack("The stream brings nothing."));
  let timer = setTimeout(heldBack, FIRST_MS);
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (place.cursor !== "") headers["Last-Event-ID"] = place.cursor;
  try {
    const response = await wire.open(path, { query, headers }, link.signal);
    if (response.status === 204) {
      place.ended = true;
      return;
    }
    const { body } = response;
    if (!response.ok) throw await refusal(response);
    if (!body || !/^text\/event-stream/i.test(response.headers.get("Content-Type") ?? "")) {
      throw new Unstreamable(response.status, "The answer is no stream.");
    }
    yield "open";
    const parser = createSseParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    // `fetch` does this by itself; another one that was given may not.
    link.signal.addEventListener("abort", () => reader.cancel().catch(() => {}));
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new NetworkError("The stream was cut off.", { cause });
      });
      link.signal.throwIfAborted();
      if (done) return;
      place.heard = true;
      clearTimeout(timer);
      timer = setTimeout(silent, SILENCE_MS);
      for (const message of parser.push(decoder.decode(value, { stream: true }))) {
        if (message.event === "reset") place.cursor = "";
        else if (message.id !== "") place.cursor = message.id;
        yield message;
      }
      if (parser.lastId !== "") place.cursor = parser.lastId;
      place.retryMs = parser.retryMs;
    }
  } catch (error) {
    throw link.signal.aborted ? link.signal.reason : error;
  } finally {
    clearTimeout(timer);
    link.unlink();
    link.abort(undefined);
  }
}

async function refusal(response: Response): Promise<Error> {
  const text = await response.text().catch(() => "");
  const error = errorOf(response.status, text, response.headers.get("Retry-After"));
  const missing =
    [405, 406, 501].includes(error.status) ||
    ["not_found", "unexpected_answer"].includes(error.code);
  return missing && error.status < 502 ? new Unstreamable(error.status, error.message) : error;
}
