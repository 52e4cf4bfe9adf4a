/** One dispatched event of a stream. */
export interface SseMessage {
  /** The cursor after this event; empty while the stream has told none. */
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Takes a stream of text apart, wherever it was cut. */
export interface SseParser {
  /** The events that are whole now. */
  push(text: string): SseMessage[];
  /** The last `id:` of a finished block, also of one without data. */
  readonly lastId: string;
  /** The server's `retry:`, in milliseconds. */
  readonly retryMs: number | undefined;
}

/** A parser of `text/event-stream`, as the HTML standard has it. */
export function createSseParser(): SseParser {
  let rest = "";
  let began = false;
  let id = "";
  let lastId = "";
  let event = "";
  let data: string[] = [];
  let retryMs: number | undefined;

  function line(text: string): SseMessage | undefined {
    if (text === "") {
      lastId = id;
      const message = data.length > 0 && { id, event: event || "message", data: data.join("\n") };
      event = "";
      data = [];
      return message || undefined;
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(text) as unknown as [string, string, string];
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
    else if (field === "id" && !value.includes("\0")) id = value;
    else if (field === "retry" && /^\d+$/.test(value)) retryMs = Number(value);
    return undefined;
  }

  return {
    push(text) {
      rest += text;
      if (!began && rest !== "") {
        began = true;
        rest = rest.replace(/^\uFEFF/, "");
      }
      // A carriage return at the very end may be the first half of a line's end.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      return lines.map(line).filter((message) => message !== undefined);
    },
    get lastId() {
      return lastId;
    },
    get retryMs() {
      return retryMs;
    },
  };
}
