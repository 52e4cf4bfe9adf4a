import type { GenerationTypeOffer } from "@darkroom/client";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { queryKeys } from "./keys.ts";
import { useDarkroom } from "./provider.tsx";

/**
 * What can be asked for here, who serves it, and whether they are well.
 *
 * @example
 * const { data: types } = useGenerationTypes();
 * const canMakeVideos = types?.some(({ type, providers }) => type === "VIDEO" && providers.length > 0);
 */
export function useGenerationTypes(): UseQueryResult<GenerationTypeOffer[]> {
  const { client } = useDarkroom();
  return useQuery({
    queryKey: queryKeys.generationTypes,
    queryFn: ({ signal }) => client.generationTypes({ signal }),
    staleTime: 30_000,
    retry: false,
  });
}
