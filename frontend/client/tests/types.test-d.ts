import { describe, expectTypeOf, test } from "vitest";
import {
  createClient,
  type DarkroomError,
  type PhotoTo3dStage,
  type Problem,
  ProblemError,
  STAGES,
  type SubmitTask,
  type Task,
  type TaskStatus,
  type TaskUpdate,
} from "../src/index.ts";

const client = createClient();

describe("types", () => {
  test("a task is what openapi.json says", () => {
    expectTypeOf<Task["status"]>().toEqualTypeOf<
      "pending" | "processing" | "completed" | "failed" | "cancelled"
    >();
    expectTypeOf<TaskStatus>().toEqualTypeOf<Task["status"]>();
    expectTypeOf<Task["image_url"]>().toEqualTypeOf<string | null>();
    expectTypeOf(client.get("a")).resolves.toEqualTypeOf<Task>();
  });

  test("only the type has to be told of a new task, and nothing unknown", () => {
    expectTypeOf<{ type: "CREATE" }>().toExtend<SubmitTask>();
    expectTypeOf<{ prompt: "a" }>().not.toExtend<SubmitTask>();
    // @ts-expect-error -- there is no such field
    client.submit({ type: "CREATE", colour: "red" });
  });

  test("a photo on its way to a 3D model has eleven stages", () => {
    expectTypeOf<PhotoTo3dStage>().toEqualTypeOf<
      | "pending"
      | "uploaded"
      | "bgr_removed"
      | "job_created"
      | "model_generated"
      | "model_saved"
      | "upload_failed"
      | "bgr_removal_failed"
      | "job_creation_failed"
      | "model_generation_failed"
      | "model_saving_failed"
    >();
    expectTypeOf(STAGES.PHOTO_TO_3D.length).toEqualTypeOf<11>();
  });

  test("errors are told apart by code", () => {
    const error = new ProblemError({ code: "queue_full", status: 429, title: "", detail: "" });
    expectTypeOf(error).toEqualTypeOf<ProblemError<"queue_full">>();
    expectTypeOf(error).toExtend<Problem>();
    function statusOf(told: DarkroomError): number {
      switch (told.code) {
        case "queue_full":
          expectTypeOf(told.status).toEqualTypeOf<429>();
          return told.status;
        case "network":
          // @ts-expect-error -- nobody answered, so there is no status
          return told.status;
        case "unexpected_answer":
          return told.status;
        default:
          expectTypeOf(told).toExtend<Problem>();
          return told.status;
      }
    }
    expectTypeOf(statusOf).returns.toBeNumber();
    // @ts-expect-error -- no problem has this code
    expectTypeOf<Extract<DarkroomError, { code: "no_such_code" }>>().toEqualTypeOf<Problem>();
  });

  test("an update is told apart by its event", () => {
    expectTypeOf<Extract<TaskUpdate, { event: "task" }>["task"]>().toEqualTypeOf<Task>();
    expectTypeOf<Extract<TaskUpdate, { event: "position" }>["queue_position"]>().toEqualTypeOf<
      number | null
    >();
    expectTypeOf(client.follow("a").next).returns.resolves.toEqualTypeOf<
      IteratorResult<TaskUpdate, void>
    >();
  });
});
