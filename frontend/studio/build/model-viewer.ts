import type { Plugin } from "vite";

const TEMPLATE = /@google\/model-viewer\/lib\/template\.js$/;
const ELEMENT = /@google\/model-viewer\/lib\/model-viewer-base\.js$/;
const MESHOPT = /three\/examples\/jsm\/libs\/meshopt_decoder\.module\.js$/;
const STYLE = /<style>([\s\S]*?)<\/style>/;
const IMPORT = "import { makeTemplate } from './template.js';";
const CLASS = "class ModelViewerElementBase extends ReactiveElement {";

/**
 * `<model-viewer>` under the content security policy of the page. What it writes into a `<style>`
 * becomes an adopted sheet of its shadow root, and its decoder of meshopt, which is WebAssembly, is
 * as in a browser without: a model packed like that can be downloaded and not be shown.
 */
export function modelViewer(): Plugin {
  return {
    name: "darkroom:model-viewer",
    apply: "build",
    transform(code, id) {
      if (MESHOPT.test(id)) return "export const MeshoptDecoder = { supported: false };";
      if (TEMPLATE.test(id)) {
        const [style, css] = STYLE.exec(code) ?? [];
        if (style === undefined || css?.includes("${")) this.error(changed(id));
        const sheet = `\nexport const sheet = new CSSStyleSheet();\nsheet.replaceSync(${JSON.stringify(css)});\n`;
        return { code: code.replace(style, "") + sheet, map: null };
      }
      if (ELEMENT.test(id)) {
        if (!code.includes(IMPORT) || !code.includes(CLASS)) this.error(changed(id));
        const styled = code
          .replace(IMPORT, "import { makeTemplate, sheet } from './template.js';")
          .replace(CLASS, `${CLASS}\n    static styles = sheet;`);
        return { code: styled, map: null };
      }
      return null;
    },
  };
}

function changed(id: string): string {
  return `${id} is not as it was: see build/model-viewer.ts.`;
}
