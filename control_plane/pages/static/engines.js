// The two ways to play HLS: hls.js, and by itself where the browser cannot do
// better (iPhones before iOS 17.1).

const NATIVE = "application/vnd.apple.mpegurl";

let library; // hls.js, loaded once, by the first who needs it

/** Null: hls.js is not installed on the server. Rejects when it cannot be fetched. */
async function hlsLibrary() {
  const address = document.querySelector("meta[name=player]").content;
  if (!address) return null;
  // The number: a browser remembers a failed import by its address.
  library ??= import(hlsLibrary.failed ? `${address}?${hlsLibrary.failed}` : address);
  try {
    return (await library).default;
  } catch (error) {
    library = undefined;
    hlsLibrary.failed = (hlsLibrary.failed ?? 0) + 1;
    throw error;
  }
}

/** Throws a sentence when nothing here can play HLS. */
export class CannotPlay extends Error {}

/**
 * `failed(why)` is called once, at the latest when nothing more will come: "denied",
 * "unreachable" when nobody answers at this address, or "" when it may come back.
 */
export async function openEngine(video, url, failed) {
  const Hls = await hlsLibrary();
  if (Hls?.isSupported()) return new HlsEngine(Hls, video, url, failed);
  if (video.canPlayType(NATIVE)) return new NativeEngine(video, url, failed);
  throw new CannotPlay(
    Hls
      ? "This browser cannot play live streams."
      : "The player is not installed on this server: hls.js is missing.",
  );
}

/** A node's 401 of anything but the master says that its encoder has stopped. */
function reason(status, master) {
  if (status === 0) return "unreachable";
  return status === 403 || (status === 401 && master) ? "denied" : "";
}

class HlsEngine {
  #hls;

  constructor(Hls, video, url, failed) {
    const policy = Hls.DefaultConfig.manifestLoadPolicy.default;
    this.#hls = new Hls({
      // fMP4 is passed through as it is: nothing to do for a worker.
      enableWorker: false,
      backBufferLength: 20,
      liveSyncDurationCount: 3,
      liveMaxLatencyDurationCount: 10,
      maxLiveSyncPlaybackRate: 1.1,
      // The player starts anew by itself.
      manifestLoadPolicy: { default: { ...policy, errorRetry: null } },
    });
    this.#hls.on(Hls.Events.ERROR, (_, error) => {
      if (!error.fatal) return;
      console.info("hls.js gave up:", error.details, error.reason ?? "");
      const master = error.details === Hls.ErrorDetails.MANIFEST_LOAD_ERROR;
      const silent = error.details.endsWith("TimeOut");
      failed(reason(silent ? 0 : error.response?.code, master));
    });
    this.#hls.loadSource(url);
    this.#hls.attachMedia(video);
  }

  toLiveEdge(video) {
    const edge = this.#hls.liveSyncPosition;
    if (edge && edge - video.currentTime > 5) video.currentTime = edge;
  }

  close() {
    this.#hls.destroy();
  }
}

class NativeEngine {
  #video;
  #stop = new AbortController();

  constructor(video, url, failed) {
    this.#video = video;
    const { signal } = this.#stop;
    for (const event of ["error", "ended"]) {
      video.addEventListener(event, () => failed(""), { signal });
    }
    video.src = url;
  }

  toLiveEdge(video) {
    const { seekable } = video;
    if (seekable.length === 0) return;
    const edge = seekable.end(seekable.length - 1) - 3;
    if (edge - video.currentTime > 5) video.currentTime = edge;
  }

  close() {
    this.#stop.abort();
    this.#video.removeAttribute("src");
    this.#video.load();
  }
}
