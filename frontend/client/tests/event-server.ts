import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A request that came, and the way to answer it. */
export interface Visit {
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly response: ServerResponse;
  /** Begin a stream, or go on with it; the text goes out as it is. */
  send(...frames: string[]): void;
  /** Answer with JSON. */
  answer(body: unknown, status?: number): void;
  /** Cut the connection, as a network does. */
  cut(): void;
}

/** A real HTTP server for this test, on a port of its own. */
export async function eventServer(onVisit: (visit: Visit, nth: number) => void) {
  const visits: Visit[] = [];
  const server = createServer(({ url, headers }, response) => {
    const visit: Visit = {
      path: url ?? "",
      headers,
      response,
      send(...frames) {
        if (!response.headersSent) response.writeHead(200, { "Content-Type": "text/event-stream" });
        for (const frame of frames) response.write(frame);
      },
      answer(body, status = 200) {
        const type = status < 300 ? "application/json" : "application/problem+json";
        response.writeHead(status, { "Content-Type": type }).end(JSON.stringify(body));
      },
      cut() {
        response.destroy();
      },
    };
    visits.push(visit);
    onVisit(visit, visits.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, visits };
}

/** Come back at once: what a test sends where the real server leaves the choice to the client. */
export const SOON = "retry: 1\n\n";

export function frame(event: string, data: unknown, id?: number): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
