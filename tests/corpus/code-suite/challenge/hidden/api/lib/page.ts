const base = process.env['ASSAY_BASE_URL'] ?? '';

/** The items of one page. */
export async function page(from: number, limit: number): Promise<number[]> {
  const response = await fetch(`${base}/items?from=${from}&limit=${limit}`);
  return (await response.json()) as number[];
}
