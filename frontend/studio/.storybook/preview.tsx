import "@fontsource-variable/inter/wght.css";
import "@fontsource/instrument-serif/400.css";
import "../src/design/base.css";
import type { Preview } from "@storybook/react-vite";
import { LANGUAGES, type Language, LanguageProvider } from "../src/strings/language.tsx";

const preview: Preview = {
  parameters: { layout: "padded", a11y: { test: "error" } },
  globalTypes: {
    theme: { toolbar: { title: "Theme", icon: "mirror", items: ["light", "dark"] } },
    language: { toolbar: { title: "Language", icon: "globe", items: Object.keys(LANGUAGES) } },
  },
  initialGlobals: { theme: "light", language: "en" },
  decorators: [
    (Story, { globals }) => {
      document.documentElement.dataset.theme = String(globals.theme);
      const language = globals.language as Language;
      return (
        <LanguageProvider key={language} start={language}>
          <Story />
        </LanguageProvider>
      );
    },
  ],
};

export default preview;
