/**
 * The failure of a request to a step handler.
 */
export class PipeError extends Error {
  /** The other side rejected the request finally: a repetition cannot succeed. */
  readonly refused: boolean;

  constructor(message: string, refused: boolean) {
    super(message);
    this.refused = refused;
  }
}
