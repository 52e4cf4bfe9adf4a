// Uses the built client as a program would; tells what it sees as one JSON value a line.
import { createClient } from "../../../frontend/client/dist/index.js";

const [baseUrl, story, ...args] = process.argv.slice(2);
const client = createClient({ baseUrl });
const small = { width: 64, height: 64 };

function tell(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** A task that takes so long, with progress. */
function lasting(seconds) {
  const provider_params = { ...small, simulate: { seconds } };
  return client.submit({ type: "CREATE", prompt: "a red bicycle", provider_params });
}

async function codeOf(call) {
  try {
    await call;
  } catch (error) {
    return error.code;
  }
  return null;
}

const stories = {
  /** Submit twice with one key; wait for the end. */
  async submit() {
    const request = { type: "CREATE", prompt: "a red bicycle", provider_params: small };
    const options = { idempotencyKey: `story-${Date.now()}` };
    const first = await client.submit(request, options);
    const again = await client.submit(request, options);
    const other = await codeOf(client.submit({ ...request, prompt: "another" }, options));
    tell({ first, again, other, done: await client.wait(first.task_id) });
  },

  /** Follow a task from its beginning to its end. */
  async follow(seconds) {
    const { task_id } = await lasting(Number(seconds));
    const onConnection = (connection) => tell({ connection });
    for await (const update of client.follow(task_id, { onConnection })) tell(update);
  },

  /** Submit three; follow everything until they have ended. */
  async all() {
    const stop = new AbortController();
    const tasks = await Promise.all([lasting(4), lasting(4), lasting(4)]);
    const waitedFor = new Set(tasks.map((task) => task.task_id));
    tell({ submitted: [...waitedFor] });
    for await (const update of client.followAll({ type: "CREATE", signal: stop.signal })) {
      tell(update);
      if (update.event !== "task" || update.task.status === "processing") continue;
      waitedFor.delete(update.task.task_id);
      if (waitedFor.size === 0) stop.abort();
    }
  },

  /** A photo goes up, a task uses it; then everything else that can be asked for. */
  async rest(photo) {
    const { readFile } = await import("node:fs/promises");
    const file = new Blob([await readFile(photo)], { type: "image/png" });
    const progress = [];
    const upload = await client.upload(file, {
      filename: "photo.png",
      onProgress: (told) => progress.push(told),
    });
    const white = await client.submit(
      { type: "WHITE_BACKGROUND", reference_images: [upload.url], prompt_id: "story" },
      { waitS: 60 },
    );
    const patched = await client.patchMetadata(white.task_id, { seen: { by: "story" } });
    const long = await lasting(60);
    const processing = await client.processing("CREATE");
    const cancelled = await client.cancel(long.task_id);
    tell({
      upload,
      progress,
      white,
      metadata: patched.metadata,
      processing: processing.map((task) => task.task_id).includes(long.task_id),
      cancelled: [cancelled.status, (await client.cancel(long.task_id)).status],
      late: await codeOf(client.cancel(white.task_id)),
      unknown: await codeOf(client.get("0199f0c2-0000-7000-8000-000000000000")),
      invalid: await codeOf(client.submit({ type: "CREATE" })),
      refused: await codeOf(client.upload(new Blob(["no picture"]))),
      prompt: (await client.promptTasks("story")).map((task) => task.status),
      retried: (await client.retry(white.task_id, { waitS: 60 })).metadata,
      history: (await client.list({ type: "WHITE_BACKGROUND", limit: 1 })).tasks.length,
      events: (await client.events(white.task_id)).map((event) => event.type),
      types: (await client.generationTypes()).map((each) => each.type),
    });
  },
};

await stories[story](...args);
