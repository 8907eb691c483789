// The service worker, which shows a page of our own while Kindred is not running.

export function keepTheOfflinePage() {
  addEventListener("load", () => {
    navigator.serviceWorker?.register("/worker.js").catch(() => {}); // private windows have none
  });
}
