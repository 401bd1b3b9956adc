/** What intake accepts, and what the process that reads a submission may use. */
export interface IntakeLimits {
  /** The upload as it arrived; does not apply to a directory. */
  compressedBytes: number;
  /** Everything unpacked, counted while unpacking and never taken from a header. */
  expandedBytes: number;
  fileBytes: number;
  /** Files and folders together, folders that only show in a path included. */
  entries: number;
  pathBytes: number;
  segmentBytes: number;
  /** Segments of a path. */
  depth: number;
  /** Unpacked bytes per uploaded byte, over the whole archive. */
  ratio: number;
  /** Below this many unpacked bytes the ratio says nothing: a tar of a few tiny files is mostly padding. */
  ratioFloorBytes: number;
  /** JavaScript heap of the reading process. */
  heapBytes: number;
  /** Resident memory of the reading process. */
  rssBytes: number;
  /** Wall-clock time of the reading process, its start included. */
  wallMs: number;
}

const MIB = 1024 ** 2;

export const DEFAULT_INTAKE_LIMITS: Readonly<IntakeLimits> = {
  compressedBytes: 10 * MIB,
  expandedBytes: 100 * MIB,
  fileBytes: 20 * MIB,
  entries: 5000,
  pathBytes: 240,
  segmentBytes: 120,
  depth: 20,
  ratio: 100,
  ratioFloorBytes: MIB,
  heapBytes: 128 * MIB,
  rssBytes: 400 * MIB,
  wallMs: 30_000,
};
