/**
 * Why the command does not create a project: one line for a person, and the exit status.
 */

/** The exit statuses of the command `holdfast` too. */
export const STATUS = { done: 0, refused: 1, usage: 2, interrupted: 130 } as const;

export class Refusal extends Error {
  readonly status: number;

  constructor(message: string, status: number = STATUS.refused) {
    super(message);
    this.status = status;
  }
}
