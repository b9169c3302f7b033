export interface EmergentSpecialization {
  /** Between lineage and task type, in bits. */
  readonly mutualInformation: number;
  /** As a share of its maximum, the smaller of both entropies: 0–1. */
  readonly normalised: number;
  /**
   * The average value for independent lineages and types with this number of answers, in bits. Subtract it
   * before drawing conclusions.
   */
  readonly expectedByChance: number;
}

/**
 * How much the lineage of a Node says about the task types that it answers well: I(L; T) = Σ p(l,t) log2(p(l,t)
 * / (p(l) p(t))) over counts by lineage and task type (Cover and Thomas, "Elements of Information Theory", 2nd
 * ed. 2006, eq. 2.28). It is 0 if both are independent. Finite counts increase it by (R−1)(C−1) / (2 N ln 2)
 * bits to first order, with R lineages, C types and N counts (Miller, "Note on the bias of information
 * estimates", 1955). This correction is good if N is well above R × C. The measure says that lineages differ,
 * not that they improved, and not why. Routing by specialization alone also increases it, so count right
 * answers, or tasks that were distributed without regard to specialization.
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
  const mutualInformation = Math.min(most, Math.max(0, sum)); // rounding may exceed the limits
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
