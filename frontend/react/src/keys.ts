/**
 * The keys of every query of the hooks, for reading, invalidating and prefetching.
 *
 * @example
 * queryClient.invalidateQueries({ queryKey: queryKeys.generationTasks.byPrompt(promptId) });
 */
export const queryKeys = {
  generationTasks: {
    all: ["generation-tasks"],
    byPrompt: (promptId: string) => ["generation-tasks", promptId] as const,
  },
  tasks: {
    all: ["tasks"],
    detail: (taskId: string) => ["tasks", "detail", taskId] as const,
    recoveries: ["tasks", "recovery"],
    recovery: (type: string) => ["tasks", "recovery", type] as const,
    histories: ["tasks", "history"],
    history: (filter: object) => ["tasks", "history", filter] as const,
  },
  generationTypes: ["generation-types"],
} as const;
