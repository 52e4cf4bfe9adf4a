/** The shape of the catalogue. Every language has every string, or the page does not compile. */

import type { GenerationType, TaskStatus } from "@darkroom/client";
import type { GenerationPage, PageName } from "../routes.ts";
import type { KnownProblem, KnownStage } from "../tasks/known.ts";
import type { PhotoFailure, PhotoStep } from "../tasks/stages.ts";

/** What a failure's sentence is made of: the server's values, and its own sentence as a last resort. */
export interface FailureValues {
  readonly message: string;
  readonly provider?: string;
  readonly seconds?: number;
  readonly hours?: number;
  readonly times?: number;
}

interface FailureStrings {
  readonly title: string;
  readonly text: (values: FailureValues) => string;
}

export type FailureCode =
  | "timeout"
  | "provider_timeout"
  | "provider_error"
  | "provider_rejected"
  | "invalid_input"
  | "circuit_open"
  | "cancelled"
  | "internal";

export type EventName =
  | "generation.requested"
  | "generation.accepted"
  | "generation.started"
  | "generation.progressed"
  | "generation.submitting"
  | "generation.retrying"
  | "generation.annotated"
  | "generation.uploaded"
  | "generation.late_result"
  | "generation.completed"
  | "generation.failed"
  | "generation.timed_out"
  | "generation.cancelled"
  | "generation.erased";

/** Why a provider is not asked at present. */
export type HeldBackCode = "circuit_open" | "provider_busy";
/** Who is not asked, and until when, where that is known. */
export interface HeldBack {
  readonly provider: string;
  readonly time: string | null;
}

/** What can be made to go wrong, of any task. */
export type AnyRehearsal = "none" | "slow" | "flaky" | "fail" | "crash" | "hang";
/** Also the step of a photo's way at which it shall fail. */
export type Rehearsal = AnyRehearsal | PhotoFailure;
export type Shape = "landscape" | "square" | "portrait";
export type ThemeWish = "system" | "light" | "dark";
export type Slot = "subject" | "person" | "garment" | "start" | "reference";

type Named = (name: string) => string;
type Counted = (count: number) => string;

export interface Strings {
  readonly app: {
    readonly name: string;
    readonly skip: string;
    readonly mainNavigation: string;
    readonly loading: string;
    readonly pageMissing: string;
    readonly pageMissingHint: string;
    readonly toCreate: string;
    readonly crashed: string;
    readonly crashedHint: string;
    readonly reload: string;
  };
  readonly pages: Readonly<
    Record<PageName, { readonly nav: string; readonly title: string; readonly lead: string }>
  >;
  readonly types: Readonly<Record<GenerationType, string>>;
  readonly settings: {
    readonly open: string;
    readonly theme: string;
    readonly themes: Readonly<Record<ThemeWish, string>>;
    readonly language: string;
  };
  readonly connection: {
    readonly offline: string;
    readonly offlineHint: string;
    readonly unreachable: string;
    readonly unreachableHint: string;
  };
  readonly session: {
    readonly title: string;
    readonly hint: string;
    readonly key: string;
    readonly enter: string;
    readonly refused: string;
    readonly signOut: string;
  };
  readonly painter: {
    readonly title: string;
    readonly what: string;
    readonly how: string;
  };
  readonly composer: {
    readonly prompt: string;
    readonly promptPlaceholder: Readonly<Record<GenerationPage, string>>;
    readonly promptOptional: string;
    readonly addPicture: string;
    readonly choosePicture: string;
    readonly dropHint: string;
    readonly dropNow: string;
    readonly slot: Readonly<Record<Slot, string>>;
    readonly uploading: Counted;
    readonly remove: Named;
    readonly tooMany: Counted;
    readonly submit: Readonly<Record<GenerationPage, string>>;
    readonly shortcut: string;
    readonly needsPrompt: string;
    readonly needsPicture: string;
    readonly waitForUpload: string;
    readonly uploadRefused: string;
    readonly uploadUnanswered: string;
    readonly options: string;
    readonly shape: string;
    readonly shapes: Readonly<Record<Shape, string>>;
    readonly provider: string;
    readonly providerDefault: Named;
    readonly providerResting: Named;
    readonly seed: string;
    readonly seedHint: string;
    readonly rehearsal: string;
    readonly rehearsalHint: string;
    readonly rehearsals: Readonly<Record<AnyRehearsal, string>>;
    readonly rehearsedFailure: string;
    readonly rehearsedStage: Named;
    /** The options that several providers have; others go by what their schema calls them. */
    readonly parameters: Readonly<Record<"num_images" | "aspect_ratio" | "format", string>>;
    readonly byDefault: string;
    readonly yes: string;
    readonly no: string;
    readonly unavailable: string;
    readonly unavailableHint: string;
    readonly notOffered: string;
    readonly notOfferedHint: string;
    readonly inspirations: string;
    readonly inspiration: readonly string[];
  };
  readonly tasks: {
    readonly heading: string;
    readonly sending: string;
    readonly unsent: string;
    readonly sendAgain: string;
    readonly discard: string;
    readonly waitingForPhoto: string;
    readonly waiting: string;
    readonly place: Counted;
    readonly working: string;
    readonly eta: Named;
    readonly attempt: Counted;
    readonly progress: Counted;
    readonly progressOf: Named;
    readonly completed: string;
    readonly cancelled: string;
    readonly fresh: string;
    readonly cancel: string;
    readonly retry: string;
    readonly download: string;
    readonly openOf: Named;
    readonly steps: string;
    readonly stepDone: string;
    readonly stepCurrent: string;
    readonly stepTodo: string;
    readonly stepFailed: string;
    readonly reference: Counted;
    readonly externalReference: Named;
    readonly noPreview: string;
    readonly notLoaded: string;
    readonly choosePhoto: string;
    readonly photoWanted: string;
    readonly photoOnItsWay: Counted;
    readonly photoLost: string;
    readonly artifactOf: (number: number, count: number) => string;
    readonly model: string;
    readonly modelOf: Named;
    readonly noModels: string;
    readonly heldBack: Readonly<Record<HeldBackCode, (values: HeldBack) => string>>;
    /** Something of the task could not be read: an operator has to look at it. */
    readonly onHold: string;
    readonly onHoldHint: string;
    readonly substituted: (by: string, instead: string) => string;
    readonly checkingSubmit: Named;
    readonly cameLate: string;
    readonly cameLateHint: string;
    readonly announceCompleted: Named;
    readonly announceFailed: Named;
    readonly announceSubmitted: Named;
    readonly loading: string;
    readonly empty: Readonly<Record<GenerationPage, string>>;
    readonly older: string;
  };
  readonly photoSteps: Readonly<Record<PhotoStep, string>>;
  readonly stages: Readonly<Record<KnownStage, string>>;
  readonly failures: Readonly<Record<FailureCode | "unknown", FailureStrings>>;
  readonly problems: Readonly<Record<KnownProblem, string>>;
  /** `queue_full`, where the server told after how many seconds there may be room. */
  readonly queueFull: Counted;
  readonly viewer: {
    readonly close: string;
    readonly previous: string;
    readonly next: string;
    readonly turn: string;
    readonly type: string;
    readonly provider: string;
    readonly asked: string;
    readonly took: string;
    readonly waited: string;
    readonly size: string;
    readonly attempts: string;
    readonly copy: string;
    readonly copied: string;
    readonly timeline: string;
    readonly timelineFailed: string;
  };
  readonly events: Readonly<Record<EventName, string>>;
  readonly history: {
    readonly search: string;
    readonly type: string;
    readonly status: string;
    readonly all: string;
    readonly allTypes: string;
    readonly statuses: Readonly<Record<TaskStatus, string>>;
    readonly count: Counted;
    readonly more: string;
    readonly searchFurther: string;
    readonly searched: Counted;
    readonly end: string;
    readonly empty: string;
    readonly emptyHint: string;
    readonly nothingFound: string;
    readonly nothingFoundHint: string;
    readonly clear: string;
    readonly failed: string;
    readonly tryAgain: string;
  };
  readonly operations: {
    readonly ready: string;
    readonly notReady: string;
    readonly unknown: string;
    readonly checks: Readonly<Record<"log" | "task_store" | "providers", string>>;
    readonly lanes: string;
    readonly lane: string;
    readonly kind: string;
    readonly health: string;
    readonly healthy: string;
    readonly unhealthy: string;
    readonly circuitOpen: (time: string | null) => string;
    readonly probing: string;
    readonly successRate: string;
    readonly median: string;
    readonly slowest: string;
    readonly counted: string;
    readonly waiting: string;
    readonly running: string;
    readonly noLanes: string;
    readonly numbers: string;
    readonly waitingNow: string;
    readonly runningNow: string;
    readonly accepted: string;
    readonly submitLatency: string;
    readonly refusals: string;
    readonly ownTasks: string;
    readonly everybodysTasks: string;
    readonly behind: string;
    readonly applied: string;
    readonly ended: string;
    readonly oldest: string;
    readonly logUsed: string;
    readonly halted: string;
    readonly failures: string;
    readonly noFailures: string;
    readonly refresh: Counted;
    readonly unavailable: string;
    readonly deadLetters: string;
    readonly deadLettersHint: string;
    readonly deadLetterCount: (events: number, tasks: number) => string;
    readonly deadReason: string;
    readonly deadTask: string;
    readonly deadSince: string;
    readonly deadTries: string;
    readonly deadWaiting: string;
    readonly retryOne: Named;
    readonly retryAll: string;
    readonly retried: (applied: number, parked: number) => string;
  };
}
