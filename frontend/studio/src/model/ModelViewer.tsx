import "./own-decoders.ts";
import "@google/model-viewer";
import { type ReactNode, useEffect, useRef } from "react";
import { movesLittle } from "../data/motion.ts";

export interface ModelViewerProps {
  readonly url: string;
  readonly alt: string;
  /** Whether it can be turned and come closer to. */
  readonly controls: boolean;
  readonly onLoad: () => void;
  readonly onError: () => void;
}

/** A binary glTF, lit, and turning where it is large. This file and what it needs are a script of their own. */
export function ModelViewer({ url, alt, controls, onLoad, onError }: ModelViewerProps): ReactNode {
  const element = useRef<HTMLElement>(null);
  useEffect(() => {
    const shown = element.current;
    if (shown === null) return;
    shown.addEventListener("load", onLoad);
    shown.addEventListener("error", onError);
    return () => {
      shown.removeEventListener("load", onLoad);
      shown.removeEventListener("error", onError);
    };
  }, [onLoad, onError]);
  return (
    <model-viewer
      ref={element}
      src={url}
      alt={alt}
      loading="lazy"
      interaction-prompt="none"
      shadow-intensity="0.6"
      touch-action="pan-y"
      camera-controls={controls || undefined}
      // It takes a picture of it for every one that is shown: only where it is looked at.
      auto-rotate={(controls && !movesLittle()) || undefined}
      auto-rotate-delay="0"
    />
  );
}

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "model-viewer": React.DetailedHTMLProps<React.HTMLAttributes<HTMLElement>, HTMLElement> & {
        readonly src: string;
        readonly alt: string;
        readonly loading: "lazy";
        readonly "interaction-prompt": "none";
        readonly "shadow-intensity": string;
        readonly "touch-action": "pan-y";
        readonly "camera-controls": true | undefined;
        readonly "auto-rotate": true | undefined;
        readonly "auto-rotate-delay": string;
      };
    }
  }
}
