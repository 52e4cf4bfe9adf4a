import { NetworkError, ProblemError, type Upload } from "@darkroom/client";
import type { Meta, StoryObj } from "@storybook/react-vite";
import { type ComponentProps, useState } from "react";
import { sampleOffer, sampleProvider } from "../tasks/sample.ts";
import { Composer } from "./Composer.tsx";

function Stateful(props: ComponentProps<typeof Composer>) {
  const [prompt, setPrompt] = useState(props.prompt);
  return <Composer {...props} prompt={prompt} onPrompt={setPrompt} />;
}

export default {
  component: Composer,
  render: (args) => <Stateful {...args} />,
  args: {
    page: "create",
    offer: sampleOffer(),
    prompt: "",
    onPrompt: () => undefined,
    onSubmit: () => undefined,
    provider: null,
    onProvider: () => undefined,
    upload: async () => ({ url: "/uploads/1" }) as Upload,
  },
} satisfies Meta<typeof Composer>;
type Story = StoryObj<typeof Composer>;

const photo = sampleOffer({ min_references: 1, max_references: 1 });

export const Empty: Story = {};
export const FilledIn: Story = { args: { prompt: "a red bicycle by the sea at sunset" } };
export const BeforeTheServerAnswered: Story = { args: { offer: null } };
export const SeveralProviders: Story = {
  args: {
    offer: sampleOffer({
      providers: [
        ...sampleOffer().providers,
        sampleProvider({
          name: "FORGE",
          healthy: false,
          params_schema: { properties: { seed: {} } },
        }),
      ],
    }),
  },
};
export const OfAPhoto: Story = { args: { page: "white-background", offer: photo } };
export const OfClothes: Story = {
  args: { page: "clothing-change", offer: sampleOffer({ min_references: 1, max_references: 2 }) },
};
export const OfAModel: Story = { args: { page: "photo-to-3d", offer: photo } };
export const OfAVideo: Story = { args: { page: "video" } };
/** Choose a file to see it: the upload never ends. */
export const UploadGoesOn: Story = {
  args: {
    page: "white-background",
    offer: photo,
    upload: (_, { onProgress }) => {
      onProgress?.({ loaded: 40, total: 100 });
      return new Promise<never>(() => undefined);
    },
  },
};
/** Choose a file to see it: it is refused. */
export const UploadRefused: Story = {
  args: {
    page: "white-background",
    offer: photo,
    upload: async () =>
      Promise.reject(
        new ProblemError({ code: "image_truncated", status: 422, title: "", detail: "" }),
      ),
  },
};
/** Choose a file to see it: nobody answers, and it can be sent again. */
export const UploadUnanswered: Story = {
  args: {
    page: "white-background",
    offer: photo,
    upload: async () => Promise.reject(new NetworkError("cut off")),
  },
};
