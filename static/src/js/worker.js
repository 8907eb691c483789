// The service worker, which shows a page of our own while Kindred is not running. It has time: a
// worker that takes over just when somebody clicks breaks the transition to the next page off.

const LATER = 2000; // ms after a page is there

export function keepTheOfflinePage() {
  const register = () => navigator.serviceWorker?.register("/worker.js").catch(() => {});
  addEventListener("load", () => setTimeout(register, LATER)); // private windows refuse: so be it
}
