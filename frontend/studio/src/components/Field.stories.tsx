import type { Meta, StoryObj } from "@storybook/react-vite";
import { useState } from "react";
import { Choice, SelectField, TextField } from "./Field.tsx";

export default { component: TextField } satisfies Meta<typeof TextField>;
type Story = StoryObj<typeof TextField>;

export const Text: Story = { args: { label: "Seed", hint: "The same seed, the same picture." } };
export const Search: Story = { args: { label: "Search prompts", type: "search" } };

const SHAPES = [
  ["landscape", "Landscape"],
  ["square", "Square"],
  ["portrait", "Portrait"],
] as const;

function Chosen({ as: Field }: { as: typeof Choice | typeof SelectField }) {
  const [value, setValue] = useState<"landscape" | "square" | "portrait">("square");
  return <Field label="Shape" value={value} options={SHAPES} onChoose={setValue} />;
}

export const OneOfAFew: Story = { render: () => <Chosen as={Choice} /> };
export const OneOfMany: Story = { render: () => <Chosen as={SelectField} /> };
