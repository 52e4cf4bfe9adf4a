import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSseParser, type SseMessage } from "../src/sse.ts";

function parsed(...chunks: string[]): SseMessage[] {
  const parser = createSseParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
}

describe("the parser of event streams", () => {
  test("a task, a place without id, a reset and an erasure, as the gateway writes them", () => {
    const stream = [
      'id: 12\nevent: task\ndata: {"task_id":"a"}\n\n',
      ": ping\n\n",
      'event: position\ndata: {"task_id":"a","queue_position":2}\n\n',
      "event: reset\ndata: {}\n\n",
      'id: 13\nevent: erased\ndata: {"task_id":"a"}\n\n',
    ];

    expect(parsed(...stream)).toEqual([
      { id: "12", event: "task", data: '{"task_id":"a"}' },
      { id: "12", event: "position", data: '{"task_id":"a","queue_position":2}' },
      { id: "12", event: "reset", data: "{}" },
      { id: "13", event: "erased", data: '{"task_id":"a"}' },
    ]);
  });

  test.each([
    ["lines ended by CR LF", "data: a\r\ndata: b\r\n\r\n", [["message", "a\nb"]]],
    [
      "lines ended by CR",
      "data: a\r\rdata: b\r\r\n",
      [
        ["message", "a"],
        ["message", "b"],
      ],
    ],
    ["a byte order mark", "\uFEFFdata: a\n\n", [["message", "a"]]],
    ["no space after the colon", "event:x\ndata:a\n\n", [["x", "a"]]],
    ["one space of two kept", "data:  a\n\n", [["message", " a"]]],
    ["a colon in the value", "data: a: b\n\n", [["message", "a: b"]]],
    ["a field without a colon", "data\n\n", [["message", ""]]],
    ["an event without data", "event: x\n\ndata: a\n\n", [["message", "a"]]],
    ["an unknown field", "colour: red\ndata: a\n\n", [["message", "a"]]],
    ["an event that was cut off", "data: a\n", []],
  ])("%s", (_, stream, expected) => {
    expect(parsed(stream).map(({ event, data }) => [event, data])).toEqual(expected);
  });

  test("an id stays until the next, and counts without data too", () => {
    const parser = createSseParser();

    expect(parser.push("id: 7\n\n")).toEqual([]);
    expect(parser.lastId).toBe("7");
    expect(parser.push("data: a\n\nid: 8\ndata")).toEqual([
      { id: "7", event: "message", data: "a" },
    ]);
    expect(parser.lastId).toBe("7");
  });

  test("an id with a NUL is none, a retry that is no number is none", () => {
    const parser = createSseParser();

    parser.push("id: 7\nretry: 250\n\nid: 8\0\nretry: soon\n\n");

    expect([parser.lastId, parser.retryMs]).toEqual(["7", 250]);
  });

  test("a stream says the same wherever it is cut", () => {
    const end = fc.constantFrom("\n", "\r\n", "\r");
    const line = fc.constantFrom("data: a", "data", "id: 1", "id: 2", "event: x", ": ping", "");
    const stream = fc.array(fc.tuple(line, end)).map((lines) => `${lines.flat().join("")}`);

    fc.assert(
      fc.property(stream, fc.array(fc.nat()), (text, cuts) => {
        // A lone CR at the very end may still become a CR LF: it is given its second half.
        const whole = `${text}\n\n`;
        const at = [
          0,
          ...cuts.map((cut) => cut % whole.length).sort((a, b) => a - b),
          whole.length,
        ];
        const chunks = at.slice(1).map((to, index) => whole.slice(at[index], to));
        expect(parsed(...chunks)).toEqual(parsed(whole));
      }),
    );
  });
});
