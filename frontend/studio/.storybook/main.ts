import type { StorybookConfig } from "@storybook/react-vite";

const config: StorybookConfig = {
  framework: "@storybook/react-vite",
  stories: ["../src/**/*.stories.tsx"],
  addons: ["@storybook/addon-a11y"],
  staticDirs: ["../public"],
  core: { disableTelemetry: true, disableWhatsNewNotifications: true },
  // Types are checked by the compiler; reading them once more would only cost time.
  typescript: { reactDocgen: false },
  viteFinal: (vite) => ({
    ...vite,
    // What the gateway needs of a build, no story does.
    plugins: (vite.plugins ?? []).filter(
      (plugin) => !(plugin && "name" in plugin && String(plugin.name).startsWith("darkroom:")),
    ),
    build: { ...vite.build, chunkSizeWarningLimit: 2000 },
  }),
};

export default config;
