/**
 * Keeps the rest of the page when a part of it cannot be shown.
 *
 * Owns: what stands in its place. The error is reported to the browser as one that nobody caught. A part with another `key`
 * begins again.
 */
import { Component, type ComponentChildren, type JSX } from "preact";
import { visible } from "./text.tsx";

interface BoundaryProps {
  readonly children: ComponentChildren;
}

interface BoundaryState {
  readonly problem?: string;
}

export class Boundary extends Component<BoundaryProps, BoundaryState> {
  static override getDerivedStateFromError(error: unknown): BoundaryState {
    return { problem: error instanceof Error ? error.message : String(error) };
  }

  override componentDidCatch(error: unknown): void {
    reportError(error);
  }

  override render({ children }: BoundaryProps, { problem }: BoundaryState): ComponentChildren {
    return problem === undefined ? children : <Broken problem={problem} />;
  }
}

function Broken({ problem }: { readonly problem: string }): JSX.Element {
  return (
    <div class="note is-bad" role="alert">
      <strong>This part cannot be shown. </strong>
      Its data is not as the page expects: {visible(problem.slice(0, 300))}.{" "}
      <button type="button" class="link" onClick={() => location.reload()}>
        Load the page again
      </button>
    </div>
  );
}
