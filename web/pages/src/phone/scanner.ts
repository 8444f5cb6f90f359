/** Reads a QR code: with the camera, or out of a picture. Decoding runs in a worker. */

import QrScanner from "qr-scanner";

const SCANS_PER_SECOND = 8;

/** The codes are dense; the library's own 400 pixels are too few for one that does not fill the picture. */
const READ_PX = 640;

/** The square in the middle, which is what the page shows of the camera's picture. */
function square(video: HTMLVideoElement): QrScanner.ScanRegion {
  const { videoWidth, videoHeight } = video;
  const side = Math.min(videoWidth, videoHeight);
  const read = Math.min(side, READ_PX);
  return {
    x: Math.round((videoWidth - side) / 2),
    y: Math.round((videoHeight - side) / 2),
    width: side,
    height: side,
    downScaledWidth: read,
    downScaledHeight: read,
  };
}

/** The camera, while it is on. */
export class Camera {
  private readonly scanner: QrScanner;

  /**
   * @param video where the camera's picture is shown
   * @param found gets each text that was read
   */
  constructor(video: HTMLVideoElement, found: (text: string) => void) {
    this.scanner = new QrScanner(video, (result) => found(result.data), {
      preferredCamera: "environment",
      calculateScanRegion: square,
      maxScansPerSecond: SCANS_PER_SECOND,
      returnDetailedScanResult: true,
      onDecodeError: () => undefined, // no code in this picture; the next one follows
    });
  }

  /** Switches it on; fails where there is none or the person refuses. */
  async start(): Promise<void> {
    await this.scanner.start();
  }

  /** Switches it off and lets go of it. */
  stop(): void {
    this.scanner.destroy();
  }
}

/** The text of the code in a picture, or `null` where there is none. */
export async function readPicture(picture: File): Promise<string | null> {
  try {
    const result = await QrScanner.scanImage(picture, { returnDetailedScanResult: true });
    return result.data;
  } catch {
    return null; // the library throws a text for "none found" as for "no picture"
  }
}
