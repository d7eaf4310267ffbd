// Loads what follows at one end of a list, page by page.
import { signal } from '@preact/signals';
import { untilAnswered } from './retry';

export class Edge {
  /** Whether the last attempt has failed. If that may pass, the next one is made by itself. */
  readonly failed = signal(false);
  private attempt: object | null = null;

  /** Whether an answer is awaited. */
  get isAsked(): boolean {
    return this.attempt !== null && !this.failed.peek();
  }

  /**
   * Asks until there is an answer. Resolves to undefined if the list has got another end meanwhile, which the answer
   * would not fit, or after a failure that does not pass.
   */
  async ask<T>(ask: () => Promise<T>): Promise<T | undefined> {
    const attempt = {};
    const isWanted = () => this.attempt === attempt;
    this.attempt = attempt;
    try {
      const answer = await untilAnswered(() => {
        this.failed.value = false;
        return ask().catch((error: unknown) => {
          if (isWanted()) this.failed.value = true;
          throw error;
        });
      }, isWanted);
      return isWanted() ? answer : undefined;
    } catch {
      return undefined;
    } finally {
      if (isWanted()) this.attempt = null;
    }
  }

  /** The list has got another end. */
  reset(): void {
    this.attempt = null;
    this.failed.value = false;
  }
}
