import { describe, expect, test, vi } from "vitest";
import { type Client, type ClientOptions, createClient, newKey } from "../src/index.ts";
import { answer, completed, problem, taskOf } from "./builders.ts";
import { type Call, fakeFetch, inTurn } from "./fake-fetch.ts";

const task = taskOf();

async function asked(use: (client: Client) => Promise<unknown>, body: unknown = {}): Promise<Call> {
  const { fetch, calls } = fakeFetch(() => answer(body));
  await use(createClient({ fetch, baseUrl: "http://gateway.test/" }));
  expect(calls).toHaveLength(1);
  return calls[0] as Call;
}

describe("the calls, as the gateway sees them", () => {
  test.each<[string, (client: Client) => Promise<unknown>, string, unknown?]>([
    ["submit", (client) => client.submit({ type: "CREATE" }), "POST /tasks"],
    ["get", (client) => client.get("a/b"), "GET /tasks/a%2Fb"],
    ["list all", (client) => client.list(), "GET /tasks"],
    [
      "list some",
      (client) =>
        client.list({ type: "VIDEO", status: "failed", promptId: "p q", limit: 5, cursor: "c" }),
      "GET /tasks?type=VIDEO&status=failed&limit=5&cursor=c&prompt_id=p+q",
    ],
    [
      "processing, of a type",
      (client) => client.processing("CREATE"),
      "GET /tasks/processing?type=CREATE",
    ],
    ["processing, of all", (client) => client.processing(), "GET /tasks/processing"],
    [
      "the tasks of a prompt",
      (client) => client.promptTasks("p"),
      "GET /api/generation/tasks?promptId=p",
    ],
    ["cancel", (client) => client.cancel("a"), "POST /tasks/a/cancel"],
    ["retry", (client) => client.retry("a"), "POST /tasks/a/retry"],
    ["patch", (client) => client.patchMetadata("a", { b: null }), "PATCH /tasks/a/metadata"],
    ["erase", (client) => client.erase("a"), "DELETE /tasks/a"],
    ["events", (client) => client.events("a"), "GET /tasks/a/events"],
    ["types", (client) => client.generationTypes(), "GET /generation-types"],
    ["begin a session", (client) => client.beginSession("k"), "POST /session"],
    ["end it", (client) => client.endSession(), "DELETE /session"],
    ["a token", (client) => client.createToken(), "POST /tokens"],
  ])("%s", async (_, use, expected) => {
    const { method, path } = await asked(use);

    expect(`${method} ${path}`).toBe(expected);
  });

  test("a session is begun with the key that is given, whoever asks otherwise", async () => {
    const session = { owner: "ann" };
    const { fetch, calls } = fakeFetch(() => answer(session));
    const client = createClient({ fetch, apiKey: "another" });

    expect(await client.beginSession("ann's")).toEqual(session);
    await client.createToken();

    const [begun, made] = calls.map(({ headers }) => headers.get("Authorization"));
    expect([begun, made]).toEqual(["Bearer ann's", "Bearer another"]);
  });

  test("the end of a session is answered with nothing", async () => {
    const { fetch } = fakeFetch(() => new Response(null, { status: 204 }));

    expect(await createClient({ fetch }).endSession()).toBeUndefined();
  });

  test("lists come without their wrapping", async () => {
    const { fetch } = fakeFetch(() => answer({ tasks: [task], events: [1], types: [2] }));
    const client = createClient({ fetch });

    expect(await client.processing()).toEqual([task]);
    expect(await client.events("a")).toEqual([1]);
    expect(await client.generationTypes()).toEqual([2]);
  });

  test("a patch of metadata is a merge patch", async () => {
    const { headers, body } = await asked((client) =>
      client.patchMetadata("a", { seen: true, b: null }),
    );

    expect(headers.get("Content-Type")).toBe("application/merge-patch+json");
    expect(body).toBe('{"seen":true,"b":null}');
  });

  test("a submit may wait for its end", async () => {
    const { headers } = await asked((client) => client.submit({ type: "CREATE" }, { waitS: 30 }));

    expect(headers.get("Prefer")).toBe("wait=30");
    expect(headers.get("Content-Type")).toBe("application/json");
  });

  test("an erasure has no answer", async () => {
    const { fetch } = fakeFetch(() => new Response(null, { status: 204 }));

    expect(await createClient({ fetch }).erase("a")).toBeUndefined();
  });

  test("wait asks until the task has ended, each time past what it knows", async () => {
    const done = completed(task);
    const { fetch, calls } = fakeFetch(
      inTurn(
        () => answer(task),
        () => answer({ ...task, sequence: 3 }),
        () => answer(done),
      ),
    );

    expect(await createClient({ fetch }).wait(task.task_id)).toEqual(done);
    expect(calls.map((call) => call.path.split("?")[1])).toEqual([
      undefined,
      "wait=20&after=1",
      "wait=20&after=3",
    ]);
  });

  test("wait for what has ended is one request", async () => {
    const { fetch, calls } = fakeFetch(() => answer(completed(task)));

    await createClient({ fetch }).wait(task.task_id);

    expect(calls).toHaveLength(1);
  });

  test("a cancel whose answer was lost is found to have won", async () => {
    const cancelled = { ...task, status: "cancelled" as const };
    const { fetch } = fakeFetch(({ method }) =>
      method === "POST" ? problem("already_finished", 409) : answer(cancelled),
    );

    expect(await createClient({ fetch }).cancel(task.task_id)).toEqual(cancelled);
  });

  test("a cancel that lost says so", async () => {
    const { fetch } = fakeFetch(({ method }) =>
      method === "POST" ? problem("already_finished", 409) : answer(completed(task)),
    );

    await expect(createClient({ fetch }).cancel(task.task_id)).rejects.toMatchObject({
      code: "already_finished",
    });
  });
});

describe("who asks", () => {
  test.each<[string, ClientOptions, string | null]>([
    ["nobody", {}, null],
    ["a key", { apiKey: "k" }, "Bearer k"],
    ["a token", { token: "t" }, "Bearer t"],
    ["a token that is made", { token: async () => "made" }, "Bearer made"],
    ["a token there is none of, and a key", { token: () => undefined, apiKey: "k" }, "Bearer k"],
  ])("%s", async (_, credential, expected) => {
    const { fetch, calls } = fakeFetch(() => answer(task));

    await createClient({ ...credential, fetch }).get("a");

    expect(calls[0]?.headers.get("Authorization")).toBe(expected);
  });

  test("a token is asked for anew before every request", async () => {
    const tokens = ["t1", "t2"];
    const { fetch, calls } = fakeFetch(() => answer(task));
    const client = createClient({ fetch, token: () => tokens.shift() });

    await client.get("a");
    await client.get("a");

    expect(calls.map((call) => call.headers.get("Authorization"))).toEqual([
      "Bearer t1",
      "Bearer t2",
    ]);
  });
});

test("a key is new each time, also where there is no `randomUUID`: on http, from afar", () => {
  vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });

  const [one, other] = [newKey(), newKey()];

  expect(one).toMatch(/^[0-9a-f]{32}$/);
  expect(other).not.toBe(one);
});
