import type { GenerationTypeOffer } from "@darkroom/client";
import type { ReactNode } from "react";
import type { GenerationPage } from "../routes.ts";
import { useStrings } from "../strings/language.tsx";
import type { Rehearsal, Shape, Strings } from "../strings/strings.ts";
import {
  hasShape,
  type Option,
  type OptionValue,
  optionsOf,
  parametersOf,
  wordsOf,
} from "../tasks/options.ts";
import type { Draft } from "../tasks/request.ts";
import { PHOTO_FAILURES } from "../tasks/stages.ts";
import { Choice, SelectField, TextField } from "./Field.tsx";

/** Who shall do it, and what they can be told beside the prompt. */
export function Options({
  page,
  offer,
  draft,
  onChange,
}: {
  page: GenerationPage;
  offer: GenerationTypeOffer | null;
  draft: Draft;
  onChange: (draft: Draft) => void;
}): ReactNode {
  const strings = useStrings();
  const { composer } = strings;
  const takes = parametersOf(offer, draft.provider);
  const providers = offer?.providers ?? [];
  return (
    <>
      {hasShape(takes) && (
        <Choice<Shape>
          label={composer.shape}
          value={draft.shape ?? "landscape"}
          options={[
            ["landscape", composer.shapes.landscape],
            ["square", composer.shapes.square],
            ["portrait", composer.shapes.portrait],
          ]}
          onChoose={(shape) => onChange({ ...draft, shape })}
        />
      )}
      <SelectField
        label={composer.provider}
        value={draft.provider ?? ""}
        options={[
          ["", composer.providerDefault(offer?.default_provider ?? "")],
          ...providers
            .filter(({ name }) => name !== offer?.default_provider)
            .map(
              ({ name, healthy }) =>
                [name, healthy ? name : composer.providerResting(name)] as const,
            ),
        ]}
        onChoose={(provider) => onChange({ ...draft, provider: provider === "" ? null : provider })}
      />
      {optionsOf(offer, draft.provider).map((option) => (
        <OptionField
          key={option.name}
          option={option}
          value={draft.options[option.name]}
          onChange={(value) => {
            const { [option.name]: _, ...others } = draft.options;
            const options = value === undefined ? others : { ...others, [option.name]: value };
            onChange({ ...draft, options });
          }}
        />
      ))}
      {takes.has("seed") && (
        <TextField
          label={composer.seed}
          hint={composer.seedHint}
          inputMode="numeric"
          pattern="\d*"
          maxLength={15}
          value={draft.seed}
          onChange={(event) => onChange({ ...draft, seed: event.target.value.replace(/\D/g, "") })}
        />
      )}
      {takes.has("simulate") && (
        <SelectField<Rehearsal>
          label={composer.rehearsal}
          hint={composer.rehearsalHint}
          value={draft.rehearsal}
          options={[
            ...(["none", "slow", "flaky", "fail", "crash", "hang"] as const).map(
              (each) => [each, composer.rehearsals[each]] as const,
            ),
            ...(page === "photo-to-3d" ? PHOTO_FAILURES : []).map(
              (each) => [each, composer.rehearsedStage(strings.stages[each])] as const,
            ),
          ]}
          onChoose={(rehearsal) => onChange({ ...draft, rehearsal })}
        />
      )}
    </>
  );
}

function OptionField({
  option,
  value,
  onChange,
}: {
  option: Option;
  value: OptionValue | undefined;
  onChange: (value: OptionValue | undefined) => void;
}): ReactNode {
  const { composer } = useStrings();
  const label = labelOf(option, composer);
  switch (option.kind) {
    case "choice":
      return (
        <SelectField
          label={label}
          value={value === undefined ? "" : String(value)}
          options={[
            ["", composer.byDefault],
            ...option.values.map((each) => [String(each), textOf(each, composer)] as const),
          ]}
          onChoose={(text) => onChange(option.values.find((each) => String(each) === text))}
        />
      );
    case "number":
      return (
        <TextField
          label={label}
          type="number"
          step="any"
          min={option.least ?? undefined}
          max={option.most ?? undefined}
          placeholder={composer.byDefault}
          value={typeof value === "number" ? value : ""}
          onChange={({ target }) =>
            onChange(Number.isNaN(target.valueAsNumber) ? undefined : target.valueAsNumber)
          }
        />
      );
    case "text":
      return (
        <TextField
          label={label}
          maxLength={option.longest ?? undefined}
          placeholder={composer.byDefault}
          value={typeof value === "string" ? value : ""}
          onChange={({ target }) => onChange(target.value === "" ? undefined : target.value)}
        />
      );
  }
}

function labelOf({ name, title }: Option, { parameters }: Strings["composer"]): string {
  const known: Readonly<Record<string, string>> = parameters;
  return (Object.hasOwn(known, name) ? known[name] : title) ?? wordsOf(name);
}

function textOf(value: OptionValue, { yes, no }: Strings["composer"]): string {
  if (typeof value === "boolean") return value ? yes : no;
  return String(value);
}
