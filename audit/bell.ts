// A loop's alarm clock: it waits for a while, or until someone rings.

export interface Bell {
  ring(): void;
  /** Ends at the next ring, at once if it rang since the last wait, at the latest after the time. */
  wait(milliseconds: number): Promise<void>;
}

export function createBell(): Bell {
  let hasRung = false;
  let endWait = () => {};
  return {
    ring: () => {
      hasRung = true;
      endWait();
    },
    wait: async (milliseconds) => {
      if (!hasRung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, milliseconds);
          endWait = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      hasRung = false;
    },
  };
}
