/** The `index`-th of many different multiplications, as people ask them. */
export function multiplication(index: number): { readonly question: string; readonly answer: string } {
  const one = 11 + (index % 89);
  const other = 12 + Math.floor(index / 89);
  return { question: `What is ${one} × ${other}?`, answer: String(one * other) };
}
