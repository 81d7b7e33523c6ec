/**
 * The keys of the outermost object of `text`, in order, with those that come twice: JSON.parse would hide them.
 *
 * @param text JSON that has been parsed without error
 */
export function jsonKeys(text: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === '"') {
      const begin = i;
      for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++;
      if (depth === 1 && isFollowedByColon(text, i + 1)) keys.push(JSON.parse(text.slice(begin, i + 1)) as string);
    }
  }
  return keys;
}

function isFollowedByColon(text: string, from: number): boolean {
  let i = from;
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++;
  return text[i] === ':';
}
