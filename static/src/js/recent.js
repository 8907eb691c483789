// The last searches, which only this browser knows.

const KEY = "recent searches";
const MOST = 8;

export function recent() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY)) ?? [];
    return kept.filter((text) => typeof text === "string").slice(0, MOST);
  } catch {
    return []; // no storage, or not ours
  }
}

export function remember(text) {
  const others = recent().filter((other) => other !== text);
  keep([text, ...others].slice(0, MOST));
}

export function forget() {
  keep([]);
}

function keep(texts) {
  try {
    localStorage.setItem(KEY, JSON.stringify(texts));
  } catch {
    // without storage there is nothing to list either
  }
}
