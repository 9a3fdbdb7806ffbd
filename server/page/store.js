// @ts-check
/** The page's state in one place; whoever shows a part of it is told when that part changed. */

/**
 * @template {Record<string, any>} State
 * @param {State} initial
 */
export function createStore(initial) {
  let state = initial;
  /** @type {{names: (keyof State)[], listener: (state: State) => void}[]} */
  const watchers = [];
  return {
    /** @returns {State} */
    get: () => state,
    /**
     * Changes some fields; a listener hears of it once, whatever number of its fields changed.
     * @param {Partial<State>} change
     */
    set(change) {
      const before = state;
      state = { ...state, ...change };
      for (const { names, listener } of watchers) {
        if (names.some((name) => before[name] !== state[name])) listener(state);
      }
    },
    /**
     * @param {(keyof State)[]} names
     * @param {(state: State) => void} listener
     */
    watch(names, listener) {
      watchers.push({ names, listener });
    },
  };
}
