/** Code that both ends of a transport share and that needs WebCrypto, streams and text decoders of the platform. */
export { type BodyText, readBodyText } from "./body-text.ts";
export {
  type FrameEvents,
  type FrameSide,
  type FrameSocket,
  Frames,
  MAC_QUERY,
  fitsFrame,
  frameKey,
  needsMac,
} from "./frames.ts";
export { type LineToExecution, type LineToOrchestrator, readLines } from "./lines.ts";
export { Mailbox } from "./mailbox.ts";
export { randomHex } from "./random-hex.ts";
export { fromRpc, toRpc } from "./rpc-messages.ts";
export {
  AUDIENCE_HEADER,
  SIGNATURE_AGE_MS_MAX,
  SIGNATURE_HEADER,
  SeenNonces,
  type SignedRequest,
  type Verdict,
  audienceProblem,
  checkSigningKey,
  signRequest,
  verifyRequest,
} from "./signing.ts";
