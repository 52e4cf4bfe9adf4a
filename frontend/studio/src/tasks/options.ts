/** What a provider can be told beside the prompt, read from the schema that it announced. Pure. */

import type { GenerationTypeOffer } from "@darkroom/client";

export type OptionValue = string | number | boolean;

/** An option that a form can show. */
export type Option = { readonly name: string; readonly title: string | null } & (
  | { readonly kind: "choice"; readonly values: readonly OptionValue[] }
  | { readonly kind: "number"; readonly least: number | null; readonly most: number | null }
  | { readonly kind: "text"; readonly longest: number | null }
);

/** These have fields of their own, or are none of the person's business. */
const SEEN_TO = new Set(["service", "seed", "width", "height", "simulate", "prompt"]);
/** So many numbers in a row are chosen from a list. */
const LISTED = 12;

/** The parameters that a provider takes, by its schema. */
export function parametersOf(
  offer: GenerationTypeOffer | null,
  provider: string | null,
): ReadonlySet<string> {
  return new Set(Object.keys(propertiesOf(offer, provider)));
}

/** Whether a picture's shape is chosen by its sides, not by an option of the provider's own. */
export function hasShape(takes: ReadonlySet<string>): boolean {
  return takes.has("width") && takes.has("height") && !takes.has("aspect_ratio");
}

/** The options that a form can show; what is more than a value is left to those who call the API. */
export function optionsOf(
  offer: GenerationTypeOffer | null,
  provider: string | null,
): readonly Option[] {
  return Object.entries(propertiesOf(offer, provider)).flatMap(([name, schema]) => {
    const option = SEEN_TO.has(name) ? null : optionOf(name, schema);
    return option === null ? [] : [option];
  });
}

/** Of what was chosen, what this provider takes: another one may have been chosen before it. */
export function chosen(
  options: readonly Option[],
  values: Readonly<Record<string, OptionValue>>,
): Record<string, OptionValue> {
  return Object.fromEntries(
    options.flatMap((option) => {
      const value = values[option.name];
      return value !== undefined && takes(option, value) ? [[option.name, value]] : [];
    }),
  );
}

function takes(option: Option, value: OptionValue): boolean {
  switch (option.kind) {
    case "choice":
      return option.values.includes(value);
    case "number":
      return (
        typeof value === "number" &&
        value >= (option.least ?? Number.NEGATIVE_INFINITY) &&
        value <= (option.most ?? Number.POSITIVE_INFINITY)
      );
    case "text":
      return typeof value === "string" && value !== "";
  }
}

type Schema = Readonly<Record<string, unknown>>;

function propertiesOf(
  offer: GenerationTypeOffer | null,
  provider: string | null,
): Readonly<Record<string, Schema>> {
  const name = provider ?? offer?.default_provider;
  const schema = offer?.providers.find((each) => each.name === name)?.params_schema;
  const properties: unknown = schema?.properties;
  return isSchema(properties)
    ? Object.fromEntries(Object.entries(properties).filter(([, each]) => isSchema(each)))
    : {};
}

function isSchema(value: unknown): value is Record<string, Schema> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function optionOf(name: string, schema: Schema): Option | null {
  const title = typeof schema.title === "string" ? schema.title : null;
  const alternatives = Array.isArray(schema.anyOf) ? schema.anyOf.filter(isSchema) : [];
  const [first] = alternatives;
  if (first !== undefined) return optionOf(name, { ...first, title });
  if (Array.isArray(schema.enum)) {
    const values = schema.enum.filter(isValue);
    return values.length > 1 ? { name, title, kind: "choice", values } : null;
  }
  switch (schema.type) {
    case "boolean":
      return { name, title, kind: "choice", values: [true, false] };
    case "integer":
    case "number": {
      const [least, most] = [numberOf(schema.minimum), numberOf(schema.maximum)];
      const count = least === null || most === null ? Number.POSITIVE_INFINITY : most - least + 1;
      if (schema.type === "number" || count > LISTED)
        return { name, title, kind: "number", least, most };
      const values = Array.from({ length: count }, (_, index) => (least ?? 0) + index);
      return { name, title, kind: "choice", values };
    }
    case "string":
      return { name, title, kind: "text", longest: numberOf(schema.maxLength) };
    default:
      return null;
  }
}

function isValue(value: unknown): value is OptionValue {
  return ["string", "number", "boolean"].includes(typeof value);
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** A parameter's name as words, where nothing better is known. */
export function wordsOf(name: string): string {
  const words = name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ")
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
