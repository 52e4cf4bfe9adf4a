import { CircleAlert, RotateCw } from "lucide-react";
import { Component, type ReactNode } from "react";
import { useStrings } from "../strings/language.tsx";
import { Button } from "./Button.tsx";
import { EmptyState } from "./EmptyState.tsx";

/** What is left when a part of the page throws: a way back, never a blank page. */
export class Crash extends Component<{ children: ReactNode }, { crashed: boolean }> {
  override state = { crashed: false };

  static getDerivedStateFromError(): { crashed: boolean } {
    return { crashed: true };
  }

  override render(): ReactNode {
    return this.state.crashed ? <Crashed /> : this.props.children;
  }
}

export function Crashed(): ReactNode {
  const { app } = useStrings();
  return (
    <EmptyState
      icon={CircleAlert}
      title={app.crashed}
      actions={
        <Button icon={RotateCw} onClick={() => location.reload()}>
          {app.reload}
        </Button>
      }
    >
      {app.crashedHint}
    </EmptyState>
  );
}
