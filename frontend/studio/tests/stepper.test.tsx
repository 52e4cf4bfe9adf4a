import { fireEvent, screen } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import { Stepper } from "../src/components/Stepper.tsx";
import { PHOTO_FAILURES, stepsOf } from "../src/tasks/stages.ts";
import { renderSpeaking } from "./speaking.tsx";

const WHY = "It fell off the bench.";
const failed = (stage: string) =>
  renderSpeaking(
    <Stepper steps={stepsOf({ type: "PHOTO_TO_3D", status: "failed", stage })} why={WHY} />,
  );
const tooltip = () => document.querySelector<HTMLElement>("[role=tooltip]");

describe("the step that failed", () => {
  test.each(PHOTO_FAILURES)("%s is a button that its reason describes", (stage) => {
    failed(stage);
    const step = screen.getByRole("button");
    expect(step.closest("li")?.getAttribute("aria-current")).toBe("step");
    expect(step.querySelector("svg")).not.toBeNull();
    expect(step.getAttribute("aria-describedby")).toBe(tooltip()?.id);
    expect(tooltip()?.textContent).toBe(WHY);
    expect(tooltip()?.hidden).toBe(true);
  });

  test("tells why when it has the focus, until Escape or until the focus goes", () => {
    failed("bgr_removal_failed");
    const step = screen.getByRole("button", { name: /^Background removal failed/ });
    fireEvent.focus(step);
    expect(tooltip()?.hidden).toBe(false);
    fireEvent.keyDown(step, { key: "Escape" });
    expect(tooltip()?.hidden).toBe(true);
    fireEvent.click(step);
    expect(tooltip()?.hidden).toBe(false);
    fireEvent.blur(step);
    expect(tooltip()?.hidden).toBe(true);
  });

  test("tells why while it is pointed at, also at what it tells", () => {
    failed("upload_failed");
    fireEvent.pointerOver(screen.getByRole("button"));
    expect(tooltip()?.hidden).toBe(false);
    fireEvent.pointerOut(screen.getByRole("button"), { relatedTarget: document.body });
    expect(tooltip()?.hidden).toBe(true);
  });

  test("keeps an Escape to itself only while it has something to hide", () => {
    const pressed: string[] = [];
    renderSpeaking(
      // biome-ignore lint/a11y/noStaticElementInteractions: it stands for a dialog around
      <div onKeyDown={({ key }) => pressed.push(key)}>
        <Stepper
          steps={stepsOf({ type: "PHOTO_TO_3D", status: "failed", stage: "upload_failed" })}
          why={WHY}
        />
      </div>,
    );
    const step = screen.getByRole("button");
    fireEvent.focus(step);
    fireEvent.keyDown(step, { key: "Escape" });
    expect(pressed).toEqual([]);
    fireEvent.keyDown(step, { key: "Escape" });
    expect(pressed).toEqual(["Escape"]);
  });
});

test.each([
  ["en", "Generating 3D model"],
  ["zh", "正在生成 3D 模型"],
  ["tr", "3B model üretiliyor"],
] as const)("where it stands has its name written out, in %s", async (language, name) => {
  const steps = stepsOf({ type: "PHOTO_TO_3D", status: "processing", stage: "job_created" });
  renderSpeaking(<Stepper steps={steps} />, language);
  const shown = await screen.findAllByText(name);
  expect(shown.length).toBe(2);
  expect(shown.at(-1)?.textContent).toBe(`4/5${name}`);
});
