export interface EmergentSpecialization {
  /** Between lineage and task type, in bits. */
  readonly mutualInformation: number;
  /** Its share of the most that there could be, the smaller of both entropies: 0–1. */
  readonly normalised: number;
  /** What independence would show on average from so few answers, in bits: subtract it before anything is claimed. */
  readonly expectedByChance: number;
}

/**
 * How much a lineage tells about what its Nodes are good for: I(L; T) = Σ p(l,t) log2(p(l,t) / (p(l) p(t))) over
 * counts by lineage and task type (Cover and Thomas, "Elements of Information Theory", 2nd ed. 2006, eq. 2.28), 0
 * where both are independent. The counts make it too large by (R−1)(C−1) / (2 N ln 2) bits to first order, with R
 * lineages and C types that occur and N counts (Miller, "Note on the bias of information estimates", 1955). The
 * correction is good for N well above R × C. It says that lineages differ, not that they got better, and not why:
 * routing by specialization alone raises it too, so count what was answered rightly, or tasks that were handed out
 * without regard to it.
 */
export function emergentSpecialization(
  counts: ReadonlyMap<string, Readonly<Record<string, number>>>,
): EmergentSpecialization {
  const rows = new Map<string, number>();
  const columns = new Map<string, number>();
  const cells: { lineage: string; taskType: string; count: number }[] = [];
  let total = 0;
  for (const [lineage, types] of counts) {
    for (const [taskType, count] of Object.entries(types)) {
      if (count <= 0) continue;
      cells.push({ lineage, taskType, count });
      rows.set(lineage, (rows.get(lineage) ?? 0) + count);
      columns.set(taskType, (columns.get(taskType) ?? 0) + count);
      total += count;
    }
  }
  if (total === 0) return { mutualInformation: 0, normalised: 0, expectedByChance: 0 };
  const sum = cells.reduce((bits, { lineage, taskType, count }) => {
    const independent = (rows.get(lineage) ?? 0) * (columns.get(taskType) ?? 0);
    return bits + (count / total) * Math.log2((count * total) / independent);
  }, 0);
  const most = Math.min(entropy(rows, total), entropy(columns, total));
  const mutualInformation = Math.min(most, Math.max(0, sum)); // rounding may leave it just outside
  return {
    mutualInformation,
    normalised: most === 0 ? 0 : mutualInformation / most,
    expectedByChance: ((rows.size - 1) * (columns.size - 1)) / (2 * total * Math.LN2),
  };
}

/** In bits. */
function entropy(counts: ReadonlyMap<string, number>, total: number): number {
  let bits = 0;
  for (const count of counts.values()) bits -= (count / total) * Math.log2(count / total);
  return bits;
}
