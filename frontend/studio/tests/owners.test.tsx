import { type Client, createClient, NetworkError } from "@darkroom/client";
import { DarkroomProvider, useTaskHistory } from "@darkroom/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { SettingsMenu } from "../src/components/SettingsMenu.tsx";
import { OWNER } from "../src/data/session.ts";
import { StudioProvider, useOutbox, useSession, useUnsent } from "../src/data/studio.tsx";
import { sample } from "../src/tasks/sample.ts";
import { renderSpeaking } from "./speaking.tsx";

beforeEach(() => localStorage.clear());

/** A gateway that knows its callers by the session, and takes no tasks for now. */
function gatewayOfOwners() {
  let owner: string | null = null;
  const submit = vi.fn<Client["submit"]>(() => Promise.reject(new NetworkError("cut off")));
  const client: Client = {
    ...createClient(),
    submit,
    beginSession: async (key) => {
      owner = key;
      return { owner: key, expires_at: "2026-11-28T10:00:00Z" };
    },
    endSession: async () => {
      owner = null;
    },
    list: async () => ({
      tasks: owner === null ? [] : [sample({ prompt: `of ${owner}` })],
      next_cursor: null,
    }),
  };
  return { client, submit };
}

function Page() {
  const session = useSession();
  const outbox = useOutbox();
  const unsent = useUnsent("CREATE");
  const { data: tasks = [] } = useTaskHistory({});
  const ask = () => void outbox.submit({ type: "CREATE", prompt: "a secret" }, "k1", "2026-11-21");
  return (
    <>
      <button type="button" onClick={() => void session.begin("ann")}>
        ann
      </button>
      <button type="button" onClick={() => void session.begin("ben")}>
        ben
      </button>
      <button type="button" onClick={() => void session.end()}>
        out
      </button>
      <button type="button" onClick={ask}>
        ask
      </button>
      <p data-testid="unsent">{unsent.map(({ request }) => request.prompt).join()}</p>
      <p data-testid="history">{tasks.map(({ prompt }) => prompt).join()}</p>
    </>
  );
}

async function opened() {
  const { client, submit } = gatewayOfOwners();
  renderSpeaking(
    <QueryClientProvider client={new QueryClient()}>
      <DarkroomProvider client={client}>
        <StudioProvider>
          <Page />
        </StudioProvider>
      </DarkroomProvider>
    </QueryClientProvider>,
  );
  const press = (name: string) => act(async () => screen.getByRole("button", { name }).click());
  const shows = (what: string, text: string) =>
    waitFor(() => expect(screen.getByTestId(what).textContent).toBe(text));
  await press("ann");
  await shows("history", "of ann");
  await press("ask");
  await shows("unsent", "a secret");
  return { press, shows, submit };
}

describe("what one owner left", () => {
  test("is there when they come back", async () => {
    const { press, shows } = await opened();
    await press("ann");
    await shows("unsent", "a secret");
  });

  test("is not sent as another, and not shown to them", async () => {
    const { press, shows, submit } = await opened();
    const sent = submit.mock.calls.length;

    await press("ben");

    await shows("history", "of ben");
    await shows("unsent", "");
    expect(submit).toHaveBeenCalledTimes(sent);
    expect(JSON.stringify({ ...localStorage })).not.toContain("secret");
  });

  test("is gone when they have signed out", async () => {
    const { press, shows } = await opened();

    await press("out");

    await shows("history", "");
    await shows("unsent", "");
    expect(localStorage.length).toBe(0);
  });

  test("is gone when another signs in in another tab", async () => {
    const { shows } = await opened();

    act(() => void dispatchEvent(new StorageEvent("storage", { key: OWNER, newValue: "ben" })));

    await shows("unsent", "");
  });
});

describe("the way out", () => {
  test("is in the settings where there is a session", async () => {
    const onSignOut = vi.fn(async () => true);
    renderSpeaking(<SettingsMenu onSignOut={onSignOut} />);
    const item = await screen.findByRole("menuitem", { name: "Sign out" });
    await act(async () => item.click());
    expect(onSignOut).toHaveBeenCalledOnce();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  test("says when the server could not be told", async () => {
    renderSpeaking(<SettingsMenu onSignOut={async () => false} />);
    const item = await screen.findByRole("menuitem", { name: "Sign out" });
    await act(async () => item.click());
    expect((await screen.findByRole("alert")).textContent).toBe("The server can't be reached.");
  });

  test("is not there where nobody has signed in", async () => {
    renderSpeaking(<SettingsMenu />);
    expect(await screen.findAllByRole("menuitemradio")).not.toHaveLength(0);
    expect(screen.queryByRole("menuitem", { name: "Sign out" })).toBeNull();
  });
});
