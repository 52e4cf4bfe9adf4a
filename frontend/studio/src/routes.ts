/** Which pages there are, and where. The build hands the paths to the gateway. */

export type GenerationPage =
  | "create"
  | "image"
  | "white-background"
  | "clothing-change"
  | "photo-to-3d"
  | "video";
export type PageName = GenerationPage | "history" | "operations";

export const PATHS: Record<PageName, string> = {
  create: "/",
  image: "/image",
  "white-background": "/white-background",
  "clothing-change": "/clothing-change",
  "photo-to-3d": "/photo-to-3d",
  video: "/video",
  history: "/history",
  operations: "/operations",
};

/** The type of task that a generation page asks for. */
export const TYPES = {
  create: "CREATE",
  image: "IMAGE",
  "white-background": "WHITE_BACKGROUND",
  "clothing-change": "CLOTHING_CHANGE",
  "photo-to-3d": "PHOTO_TO_3D",
  video: "VIDEO",
} as const satisfies Record<GenerationPage, string>;

/** These appear only where a provider offers their type. */
export const WHERE_OFFERED: readonly PageName[] = ["image", "photo-to-3d", "video"];

export function pageAt(path: string): PageName | null {
  const trimmed = path.length > 1 ? path.replace(/\/+$/, "") : path;
  const pages = Object.keys(PATHS) as PageName[];
  return pages.find((name) => PATHS[name] === trimmed) ?? null;
}

export function isGenerationPage(page: PageName): page is GenerationPage {
  return Object.hasOwn(TYPES, page);
}
