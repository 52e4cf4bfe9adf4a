import { NetworkError } from "./errors.ts";
import { answerOf, type CallOptions, type Wire } from "./http.ts";

/** How much of a file has been sent. */
export interface UploadProgress {
  readonly loaded: number;
  readonly total: number;
}

export interface UploadOptions extends Pick<CallOptions, "signal"> {
  /** The file's name, where the file itself has none. */
  readonly filename?: string;
  /** Called as bytes leave; where the platform can't tell (`fetch`), once at the end. */
  readonly onProgress?: (progress: UploadProgress) => void;
}

/** Where a file goes. */
export interface Destination {
  readonly method: "POST" | "PUT";
  readonly path: string;
}

/** Send a file: with `XMLHttpRequest` where progress is wanted and can be had, else with `fetch`. */
export async function upload<Answer>(
  wire: Wire,
  { method, path }: Destination,
  file: Blob,
  options: UploadOptions,
): Promise<Answer> {
  const form = new FormData();
  const { filename, onProgress, signal } = options;
  if (filename === undefined) form.append("file", file);
  else form.append("file", file, filename);
  if (onProgress !== undefined && typeof XMLHttpRequest !== "undefined") {
    return uploadByXhr(wire, { method, path }, form, onProgress, signal);
  }
  // Never sent twice by itself: it may be large, and whoever waits sees that it failed.
  const ask = { method, body: form, signal, retries: 0, holdMs: UPLOAD_MS };
  const answer = await wire.json<Answer>(path, ask);
  onProgress?.({ loaded: file.size, total: file.size });
  return answer;
}

const UPLOAD_MS = 600_000;

async function uploadByXhr<Answer>(
  wire: Wire,
  { method, path }: Destination,
  form: FormData,
  onProgress: (progress: UploadProgress) => void,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const credential = await wire.credential();
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const stop = () => xhr.abort();
    xhr.open(method, wire.url(path));
    xhr.timeout = UPLOAD_MS;
    for (const [name, value] of Object.entries(credential)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded, total }) => onProgress({ loaded, total });
    xhr.onload = () => {
      try {
        resolve(answerOf(xhr.status, xhr.responseText, xhr.getResponseHeader("Retry-After")));
      } catch (error) {
        reject(error);
      }
    };
    xhr.onerror = () => reject(new NetworkError("The upload was cut off."));
    xhr.ontimeout = () => reject(new NetworkError("The upload took too long."));
    xhr.onabort = () => reject(signal?.reason);
    xhr.onloadend = () => signal?.removeEventListener("abort", stop);
    signal?.addEventListener("abort", stop);
    xhr.send(form);
  });
}
