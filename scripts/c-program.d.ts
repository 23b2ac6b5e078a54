export function cProgram(
  file: string,
  options?: { readonly libraries?: readonly string[]; readonly missing?: string },
): string
