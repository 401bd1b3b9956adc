import type Docker from 'dockerode';
import type { ResourceUsage } from '../../domain/grader-protocol.ts';

/** The engine's statistics in our words. Memory is without the page cache that the kernel can drop at once. */
export function toResourceUsage(stats: Docker.ContainerStats): ResourceUsage {
  // The engine leaves the parts out when the container does not run, whatever its types say.
  const memory: Partial<Docker.MemoryStats> = stats.memory_stats ?? {};
  const detail: Readonly<Record<string, number | undefined>> = { ...memory.stats };
  // cgroup v1 has the first name, v2 the second.
  const cacheBytes = detail['total_inactive_file'] ?? detail['inactive_file'] ?? 0;
  const throttledNs = stats.cpu_stats?.throttling_data?.throttled_time;
  return {
    cpuMs: (stats.cpu_stats?.cpu_usage?.total_usage ?? 0) / 1e6,
    memoryBytes: Math.max(0, (memory.usage ?? 0) - cacheBytes),
    pids: stats.pids_stats?.current ?? 0,
    ...(throttledNs === undefined ? {} : { throttledMs: throttledNs / 1e6 }),
  };
}
