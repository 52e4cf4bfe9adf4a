/**
 * The keys of every query of the hooks, for reading, invalidating and prefetching.
 *
 * @example
 * queryClient.invalidateQueries({ queryKey: queryKeys.generationTasks.byPrompt(promptId) });
 */
export const queryKeys = {
  generationTasks: {
    all: ["generation-tasks"],
    byPrompt: (promptId: string) => ["generation-tasks", promptId],
  },
  tasks: {
    all: ["tasks"],
    detail: (taskId: string) => ["tasks", "detail", taskId],
    recovery: (type: string) => ["tasks", "recovery", type],
    histories: ["tasks", "history"],
    history: (filter: object) => ["tasks", "history", filter],
  },
  generationTypes: ["generation-types"],
} as const;
